"""Scenes of what is left behind: by a program, by a dead agent, by a changed pipeline, by a database put back."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import signal
import sqlite3
from collections.abc import Iterable

import evidence
import points
from case import Case
from expectation import Drop, Pipeline, Stage, Workload
from judge import judge
from kills import Played, taken_up
from order import CALLS, Order
from scenery import Scene, Scenery, until
from scenes import SLOW, Agent
from workloads import LOOSE, drops

NESTED = Pipeline("nested", (Stage("wait", "nest"), Stage("tell", "quiet")))
SPOILED = Pipeline("spoiled", (Stage("spoil", "spoil"), Stage("never", "quiet")))
# attempts are read in the order of their stages' names: the strict one comes second
TORN = Pipeline(
    "torn",
    (
        Stage("again", "long", reads="-", extra=", needs: []"),
        Stage("never", "long", on_interrupt="fail", reads="-", extra=", needs: []"),
        Stage("then", "quiet", reads="-", extra=", needs: [again, never]"),
    ),
)


class HardScenes(Scenery):
    """What another agent finds is taken up for what it is."""

    def scenes(self) -> Iterable[Scene]:
        scenes = [
            self._nested,
            self._edited,
            self._spoiled,
            self._shared_inbox,
            self._restarted,
            self._torn,
            self._put_back,
        ]
        return (*scenes, self._unsynced) if points.STRACE else scenes

    def _restarted(self, root: pathlib.Path) -> Played:
        """Killed and begun again at once, again and again, in the middle of a program: each takes up from the last."""
        case = self.case(Workload("restarted", (SLOW, LOOSE), drops("slow-a", "loose-b")), root)
        for number in range(5):
            agent = Agent(case)
            agent.await_effect(functools.partial(is_beyond, number))
            agent.kill()
        return taken_up(case)

    def _nested(self, root: pathlib.Path) -> Played:
        """What a program left behind, in a session of its own, is gone with the agent that was killed."""
        case = self.case(Workload("nested", (NESTED,), drops("nested-a")), root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "nest")
        until(lambda: any(case.effects.glob("litter.*")), limit=10)
        agent.kill()
        return taken_up(case)

    def _edited(self, root: pathlib.Path) -> Played:
        """A pipeline is changed while a run of it waits for the next agent: the run keeps the text it began with (C05)."""
        case = self.case(
            Workload("edited", (SLOW, LOOSE), drops("slow-a", "slow-b"), settings="concurrency: 1\n"), root
        )
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        agent.kill()
        other = Pipeline("slow", (Stage("other", "quiet"), Stage("tell", "fail")))
        (case.home / "pipelines/slow.yaml").write_text(other.yaml)
        return taken_up(case)

    def _spoiled(self, root: pathlib.Path) -> Played:
        """A program that writes to its drop: the run fails, and says so."""
        case = self.case(Workload("spoiled", (SPOILED,), ()), root)
        case.put(Drop(b"spoiled-a"))
        code = case.run(("up", "--once"))
        found = list(case.complaints)
        rows = evidence.Rows(case.database)
        found += [
            f"lost I2: the drop of run {row['number']} was changed, and it is {row['state']}: {row['reason']}"
            for row in rows.runs.values()
            if row["state"] != "failed" or "changed" not in str(row["reason"])
        ]
        if len(rows.runs) != 1 or any(e.stage == "never" for e in evidence.effects(case.effects)) or code != 1:
            found.append("other I2: a run went on after its drop was changed")
        return True, found, case

    def _shared_inbox(self, root: pathlib.Path) -> Played:
        """Two workspaces with one inbox: the second agent is refused with 75 (S12)."""
        case = self.case(Workload("shared", (SLOW, LOOSE), drops("slow-a", "loose-b")), root)
        other = Case(Workload("other", (LOOSE,), ()), root / "other", self.programs)
        other.make()
        (other.home / "inbox").rmdir()
        (other.home / "inbox").symlink_to(case.home / "inbox")
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        if other.run(("up", "--once")) != 75:
            case.complaints.append("other S12: a second agent on one inbox was not refused with 75")
        agent.program.send_signal(signal.SIGTERM)
        agent.end()
        if (other.home / "var/state.db").exists() and evidence.Rows(other.database).runs:
            case.complaints.append("doubled S12: a refused agent has runs")
        return taken_up(case)

    def _torn(self, root: pathlib.Path) -> Played:
        """Several stages are at work when the agent dies: the strictest `on_interrupt` counts, whatever their names."""
        case = self.case(Workload("torn", (TORN,), drops("torn-a")), root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.stage == "again")
        agent.await_effect(lambda e: e.kind == "S" and e.stage == "never")
        agent.kill()
        return taken_up(case)

    def _put_back(self, root: pathlib.Path) -> Played:
        """A database that is put back from a backup: what has ended since is not worked again (S09)."""
        case = self.case(Workload("put-back", (SLOW,), drops("slow-a")), root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        copy = case.root / "backup.db"
        with contextlib.closing(sqlite3.connect(f"file:{case.database}?mode=ro", uri=True)) as database:
            database.execute("VACUUM INTO ?", [str(copy)])
        agent.program.terminate()
        agent.end()
        case.run(("up", "--once"))
        before = len(evidence.effects(case.effects))
        for suffix in ("-wal", "-shm"):
            pathlib.Path(f"{case.database}{suffix}").unlink(missing_ok=True)
        copy.replace(case.database)
        case.run(("up", "--once"))
        found = [
            f"lost S09: run {row['number']} had ended well, and is {row['state']}"
            for row in evidence.Rows(case.database).runs.values()
            if row["state"] != "done"
        ]
        if len(evidence.effects(case.effects)) != before:
            found.append("doubled S09: a run that had ended was worked again")
        return True, [*case.complaints, *found], case

    def _unsynced(self, root: pathlib.Path) -> Played:
        """What a dead agent moved and did not sync, the next one syncs before it says that it is so."""
        found = []
        for point, places in (("filingRenamed", ("done", "work")), ("claimRenamed", ("work", "../inbox"))):
            case = self.case(Workload("unsynced", (LOOSE,), drops("loose-a")), root / point)
            case.strike(PENSTOCK_FAILPOINT=f"{point}:1:kill")
            case.run(("up", "--once"), before=points.tracing(case.root / "trace", CALLS))
            order = Order(case)
            order.read(case.root / "trace")
            found += [
                f"lost order: after {point} the next agent never synced var/{place}"
                for place in places
                if os.path.normpath(case.home / "var" / place) not in order.synced
            ]
            found += judge(case, converges=True)
        return True, found, case


def is_beyond(attempt: int, effect: evidence.Effect) -> bool:
    return effect.stage == "wait" and effect.kind == "S" and effect.attempt > attempt
