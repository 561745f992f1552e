"""Scenes of what is left behind: by a program, by an agent whose programs are slow to go, by a changed pipeline."""

from __future__ import annotations

import functools
import pathlib
import signal
import sqlite3
import time
from collections.abc import Iterator

import evidence
import points
from case import Case
from expectation import Drop, Pipeline, Stage, Workload
from jobs import Job
from judge import judge
from kills import Played, with_wrapper
from scenes import LONGER, SLOW, Agent
from workloads import LOOSE, WARM, drops

NESTED = Pipeline("nested", (Stage("wait", "nest"), Stage("tell", "quiet")))
SPOILED = Pipeline("spoiled", (Stage("spoil", "spoil"), Stage("never", "quiet")))


class HardScenes:
    """The jobs."""

    def __init__(self, programs: pathlib.Path) -> None:
        self.programs = programs

    def jobs(self, rounds: int = 1) -> Iterator[Job]:
        scenes = [self._nested, self._edited, self._spoiled, self._shared_inbox, self._restarted]
        if points.STRACE:
            scenes += [self._slow_end, self._ahead_told, self._ahead_killed, self._claimed_slowly]
        else:
            print("  skipped: scenes of slow ends and slow commits, for there is no `strace`", flush=True)
        for number in range(rounds):
            for scene in scenes:
                yield Job("scenes", f"{scene.__name__[1:]} #{number}", functools.partial(scene))

    def _case(self, workload: Workload, root: pathlib.Path) -> Case:
        case = Case(workload, root, self.programs)
        case.make()
        case.was_crashed = True
        return case

    def _slow_end(self, root: pathlib.Path) -> Played:
        """Each kill(2) of a keeper takes its time: the next agent begins when the last program is gone, not before."""
        case = self._case(Workload("slow-end", (LONGER, LOOSE), drops("longer-a", "loose-b")), root)
        delay = (str(points.STRACE), "-f", "-b", "execve", "--seccomp-bpf", "-qq", "-o", "/dev/null")
        with_wrapper(case, (*delay, "-e", "trace=kill", "-e", "inject=kill:delay_enter=1500000"))
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "longer")
        agent.program.kill()
        agent.end()
        case.take_up()
        return True, judge(case, converges=True), case

    def _ahead_told(self, root: pathlib.Path) -> Played:
        """Told to stop while attempts are recorded ahead: those are closed as what they are, never begun."""
        case = self._ahead(root)
        agent = self._among_slow_commits(case)
        agent.program.terminate()
        if agent.end() != 0:
            case.complaints.append("other: an agent that was asked to stop did not end with 0")
        case.was_crashed = False
        case.take_up()
        return True, judge(case, converges=True), case

    def _ahead_killed(self, root: pathlib.Path) -> Played:
        """Killed while attempts are recorded ahead: none was executed that is not recorded."""
        case = self._ahead(root)
        for _ in range(3):
            agent = self._among_slow_commits(case)
            agent.program.kill()
            agent.end()
        case.take_up()
        return True, judge(case, converges=True), case

    def _ahead(self, root: pathlib.Path) -> Case:
        names = (f"loose-{n}" for n in range(60))
        return self._case(Workload("ahead", (LOOSE,), drops(*names), settings="concurrency: 2\n"), root)

    def _claimed_slowly(self, root: pathlib.Path) -> Played:
        """Killed while one drop is synced, or its row written, and its first program stands ready: it has not begun."""
        case = self._case(Workload("claimed-slowly", (LOOSE, WARM), ()), root)
        # there are four syncs and two dozen writes to a claim: each is twice as long on its way as it is given
        for number, (call, delay) in enumerate((("fsync", 150_000), ("pwrite64", 20_000)) * 2):
            name = f"{'loose' if number < 2 else 'warm'}-{number}"
            agent = self._slow_to_sync(case, call, f"delay_enter={delay}")
            until = time.monotonic() + 20
            while time.monotonic() < until and not (case.home / "var/penstock.sock").exists():
                time.sleep(0.01)
            case.put(Drop(name.encode()))
            while time.monotonic() < until and (case.home / "inbox" / name).exists():
                time.sleep(0.005)
            time.sleep(0.2)
            agent.program.kill()
            agent.end()
            if f"{name} claimed" in case.said[-1]:
                case.complaints.append(f"other: the claim of {name} was told before it was on the record")
            (case.home / "var/penstock.sock").unlink(missing_ok=True)
        case.take_up()
        return True, judge(case, converges=True), case

    @staticmethod
    def _slow_to_sync(case: Case, call: str, delay: str) -> Agent:
        trace = (str(points.STRACE), "-D", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "signal=none")
        return Agent(case, before=(*trace, "-e", f"trace={call}", "-e", f"inject={call}:{delay}"))

    def _among_slow_commits(self, case: Case) -> Agent:
        """An agent whose commits take longer than its programs, in the midst of them."""
        count = len(evidence.effects(case.effects))
        agent = self._slow_to_sync(case, "fdatasync", "delay_exit=30000")
        until = time.monotonic() + 20
        while time.monotonic() < until and len(evidence.effects(case.effects)) < count + 24:
            time.sleep(0.005)
        return agent

    def _restarted(self, root: pathlib.Path) -> Played:
        """Killed and begun again at once, again and again, in the middle of a program: each takes up from the last."""
        case = self._case(Workload("restarted", (SLOW, LOOSE), drops("slow-a", "loose-b")), root)
        for number in range(5):
            agent = Agent(case)
            agent.await_effect(functools.partial(is_beyond, number))
            agent.program.kill()
            agent.end()
        case.take_up()
        return True, judge(case, converges=True), case

    def _nested(self, root: pathlib.Path) -> Played:
        """What a program left behind, in a session of its own, is gone with the agent that was killed."""
        case = self._case(Workload("nested", (NESTED,), drops("nested-a")), root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "nest")
        until = time.monotonic() + 10
        while time.monotonic() < until and not any(case.effects.glob("litter.*")):
            time.sleep(0.01)
        agent.program.kill()
        agent.end()
        case.take_up()
        return True, judge(case, converges=True), case

    def _edited(self, root: pathlib.Path) -> Played:
        """A pipeline is changed while a run of it waits for the next agent: the run keeps the text it began with (C05)."""
        case = self._case(
            Workload("edited", (SLOW, LOOSE), drops("slow-a", "slow-b"), settings="concurrency: 1\n"), root
        )
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        agent.program.kill()
        agent.end()
        other = Pipeline("slow", (Stage("other", "quiet"), Stage("tell", "fail")))
        (case.home / "pipelines/slow.yaml").write_text(other.yaml)
        case.take_up()
        return True, judge(case, converges=True), case

    def _spoiled(self, root: pathlib.Path) -> Played:
        """A program that writes to its drop: the run fails, and says so."""
        case = self._case(Workload("spoiled", (SPOILED,), ()), root)
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
        case = self._case(Workload("shared", (SLOW, LOOSE), drops("slow-a", "loose-b")), root)
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
        if (other.home / "var/state.db").exists() and runs_of(other):
            case.complaints.append("doubled S12: a refused agent has runs")
        case.take_up()
        return True, judge(case, converges=True), case


def is_beyond(attempt: int, effect: evidence.Effect) -> bool:
    return effect.stage == "wait" and effect.kind == "S" and effect.attempt > attempt


def runs_of(case: Case) -> int:
    with sqlite3.connect(f"file:{case.database}?mode=ro", uri=True) as database:
        return int(database.execute("SELECT count(*) FROM run").fetchone()[0])
