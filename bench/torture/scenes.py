"""Scenes with a hand in them: a wish to stop, a cancel, a frozen keeper, a second agent, a load that never ends."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pathlib
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator

import evidence
from case import LIMIT, Accepted, Case, end, fnv
from expectation import Drop, Pipeline, Stage, Workload
from jobs import Job, Yard
from judge import judge
from kills import Played, taken_up
from workloads import CHAIN, LOOSE, drops

SLOW = Pipeline(
    "slow", (Stage("wait", "long"), Stage("tell", "quiet", reads="wait")), hooks=(("after-run", "ignored"),)
)
LONGER = Pipeline("longer", (Stage("wait", "longer"), Stage("tell", "quiet", reads="wait")))
STUCK = Pipeline("stuck", (Stage("wait", "hang"), Stage("never", "quiet", ((),))), hooks=(("after-run", "ignored"),))
CAREFUL = Pipeline("careful", (Stage("wait", "long", on_interrupt="fail"), Stage("tell", "quiet", reads="wait")))
SHORT = Pipeline("short", (Stage("wait", "slow"), Stage("tell", "quiet", reads="wait")))
SCENE = Workload("scene", (SLOW, LOOSE), drops("slow-a", "loose-b"), drops("slow-c"))


class Agent:
    """A running `penstock up`, watched by its effect log."""

    def __init__(self, case: Case, *words: str, before: tuple[str, ...] = ()) -> None:
        self.case = case
        self.output = (case.root / f"agent-{time.monotonic_ns()}").open("w+b")
        command = [*before, *case.words(words or ("up",))]
        self.program = subprocess.Popen(
            command,
            env=case.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=case.root,
        )

    def await_effect(self, condition: Callable[[evidence.Effect], bool], limit: float = 20) -> None:
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if any(condition(effect) for effect in evidence.effects(self.case.effects)):
                return
            time.sleep(0.01)
        self.case.complaints.append("other: what was waited for did not happen")

    def tree(self) -> list[int]:
        """Every process below the agent."""
        found, todo = [], [self.program.pid]
        while todo:
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{(pid := todo.pop())}/task"):
                    children = [
                        int(word) for word in pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()
                    ]
                    found += children
                    todo += children
        return found

    def kill(self) -> None:
        """As SIGKILL does it; nothing where it has died already."""
        self.program.kill()
        self.end()

    def end(self, limit: float = LIMIT) -> int:
        try:
            code = self.program.wait(limit)
        except subprocess.TimeoutExpired:
            end(self.program)
            code = self.program.wait()
            self.case.complaints.append(f"other: an agent that was told to stop did not within {limit:g} s")
        self.output.seek(0)
        self.case.said.append(self.output.read().decode(errors="replace") + f"(exit {code})")
        self.output.close()
        return code


class Scenes:
    """The jobs of the level."""

    def __init__(self, yard: Yard, programs: pathlib.Path) -> None:
        self.yard, self.programs = yard, programs

    def jobs(self, rounds: int = 1) -> Iterator[Job]:
        scenes = (
            self._drain,
            self._hasty,
            self._cancel,
            self._cancel_alone,
            self._frozen,
            self._second,
            self._rerouted,
            self._writer,
        )
        for number in range(rounds):
            for scene in scenes:
                yield Job("scenes", f"{scene.__name__[1:]} #{number}", scene)

    def _case(self, workload: Workload, root: pathlib.Path) -> Case:
        case = Case(workload, root, self.programs)
        case.make()
        return case

    def _drain(self, root: pathlib.Path) -> Played:
        """TERM lets the running stage finish; the rest goes on with the next agent, and nothing is interrupted."""
        case = self._case(SCENE, root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        agent.program.terminate()
        if agent.end() != 0:
            case.complaints.append("other: an agent that was asked to stop did not end with 0")
        return taken_up(case)

    def _hasty(self, root: pathlib.Path) -> Played:
        """Asked twice, it ends the stage; the attempt is interrupted, and its policy followed."""
        case = self._case(Workload("hasty", (SLOW, CAREFUL), drops("slow-a", "careful-b")), root)
        case.was_crashed = True
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        agent.program.send_signal(signal.SIGINT)
        time.sleep(0.1)
        agent.program.send_signal(signal.SIGINT)
        agent.end()
        if evidence.leftovers(case.home):
            case.complaints.append("other I12: programs outlived an agent that was stopped")
        return taken_up(case)

    def _cancel(self, root: pathlib.Path) -> Played:
        """A run that hangs is cancelled: its program ends, its after-hooks are called, its drop is filed."""
        case = self._case(Workload("stuck", (STUCK, LOOSE), drops("stuck-a", "loose-b")), root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "hang")
        case.run(("cancel", str(number_of(case, "stuck"))))
        agent.await_effect(lambda e: e.kind == "E" and e.event == "after-run")
        agent.program.terminate()
        agent.end()
        case.take_up()
        wrong = [v for v in judge(case, converges=True) if "is cancelled" not in v or "should be" not in v]
        wrong = [v for v in wrong if "came to ('cancelled',)" not in v and "says exit" not in v]
        if not any(r["state"] == "cancelled" for r in evidence.Rows(case.database).runs.values()):
            wrong.append("other: the cancelled run is not cancelled")
        return True, wrong, case

    def _cancel_alone(self, root: pathlib.Path) -> Played:
        """The same after the agent died in it: the command does what is to be done itself."""
        case = self._case(Workload("stuck", (STUCK, LOOSE), drops("stuck-a", "loose-b")), root)
        case.was_crashed = True
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "hang")
        agent.program.kill()
        agent.end()
        case.run(("cancel", str(number_of(case, "stuck"))))
        case.take_up()
        wrong = [v for v in judge(case, converges=True) if "is cancelled" not in v or "should be" not in v]
        wrong = [v for v in wrong if "after-run is not recorded" not in v]
        return True, [v for v in wrong if "came to ('interrupted',)" not in v], case

    def _frozen(self, root: pathlib.Path) -> Played:
        """The keepers of a dead agent are slow to end their programs: the next agent waits for the last of them."""
        case = self._case(Workload("frozen", (LONGER, LOOSE), drops("longer-a", "loose-b")), root)
        case.was_crashed = True
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "longer")
        frozen = self._freeze(agent)
        agent.program.kill()
        agent.end()
        after = Agent(case, "up", "--once")
        time.sleep(2)
        for pid in frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if after.end() not in {0, 1}:
            case.complaints.append("other: the agent after one whose keepers were slow did not do its work")
        return taken_up(case)

    @staticmethod
    def _freeze(agent: Agent) -> list[int]:
        """Stops the spawner and its keepers, not the programs: again, for /proc may miss a child that is just being made.

        The agent is stopped before them: the end of one of its threads would wake the spawner, which ends a keeper that
        is stopped, and a living agent would record that its program failed.
        """
        agent.program.send_signal(signal.SIGSTOP)
        frozen: list[int] = []
        for _ in range(6):
            programs = {effect.pid for effect in evidence.effects(agent.case.effects)}
            # the spawner comes first: one that is awake ends a keeper that is stopped
            for pid in agent.tree():
                with contextlib.suppress(OSError):
                    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
                    is_known = parent == agent.program.pid or parent in frozen
                    is_program = pid in programs or b"effect" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                    if is_known and not is_program and pid not in frozen:
                        os.kill(pid, signal.SIGSTOP)
                        frozen.append(pid)
            time.sleep(0.02)
        return frozen

    def _second(self, root: pathlib.Path) -> Played:
        """A second agent is refused with 75 and changes nothing."""
        case = self._case(SCENE, root)
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        if case.run(("up", "--once")) != 75:
            case.complaints.append("other S12: a second agent was not refused with 75")
        agent.await_effect(lambda e: e.kind == "S" and e.stage == "tell")
        agent.program.terminate()
        agent.end()
        return taken_up(case)

    def _writer(self, root: pathlib.Path) -> Played:
        """I01: a drop is not touched while anyone has it open for writing, however long that is."""
        case = self._case(Workload("writer", (LOOSE,), drops("loose-a")), root)
        path = case.home / "inbox/loose-slow"
        agent = Agent(case)
        with path.open("wb") as file:
            file.write(b"half ")
            file.flush()
            time.sleep(1)
            if not path.exists():
                case.complaints.append("lost I01: a drop was taken while its writer had it open")
            file.write(b"whole\n")
        content = b"half whole\n"
        case.accepted.append(Accepted(Drop(b"loose-slow"), hashlib.sha256(content).hexdigest(), fnv(content)))
        agent.await_effect(lambda e: e.kind == "E" and e.digest == 0 and e.at > 0)
        agent.program.terminate()
        agent.end()
        return taken_up(case)

    def _rerouted(self, root: pathlib.Path) -> Played:
        """A pipeline changes while a run of it waits in the queue: the run keeps the text it began with (C05)."""
        case = self._case(
            Workload("scene", (SLOW, LOOSE), drops("slow-a", "slow-b", "slow-c"), settings="concurrency: 1\n"), root
        )
        case.was_crashed = True
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "long")
        agent.program.kill()
        agent.end()
        (case.home / "pipelines/slow.yaml").unlink()
        return taken_up(case)


def number_of(case: Case, pipeline: str) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{case.database}?mode=ro", uri=True, timeout=10)) as database:
        return int(database.execute("SELECT number FROM run WHERE pipeline = ?", [pipeline]).fetchone()[0])


def load_jobs(yard: Yard, programs: pathlib.Path, kills: int, parts: int) -> Iterator[Job]:
    """Random SIGKILL while drops arrive without pause."""
    for number in range(parts):
        yield Job(
            "load, kill",
            f"#{number} of {kills // parts} kills",
            functools.partial(_load, yard, programs, kills // parts, number),
            kills // parts,
        )


def _load(yard: Yard, programs: pathlib.Path, kills: int, number: int, root: pathlib.Path) -> Played:
    chance = yard.chance("load", number)
    case = Case(Workload("load", (CHAIN, LOOSE, SHORT), (), settings="concurrency: 4\n"), root, programs)
    case.make()
    case.was_crashed = True
    count = 0
    for _ in range(kills):
        agent = Agent(case)
        until = time.monotonic() + 0.03 + chance.random() * 0.6
        while time.monotonic() < until:
            count += 1
            case.put(
                Drop(b"%s-%d" % (chance.choice([b"chain", b"loose", b"short"]), count), size=chance.randrange(2000))
            )
            time.sleep(chance.random() * 0.05)
        agent.program.kill()
        agent.end()
    case.said.clear()
    return taken_up(case)
