"""Scenes of a machine that takes its time: slow syncs, commits and ends, and a death among them. They need strace."""

from __future__ import annotations

import functools
import pathlib
import time
from collections.abc import Iterable

import evidence
import points
from case import Case, accepted
from expectation import Drop, Workload
from kills import Played, taken_up, with_wrapper
from scenery import Scene, Scenery, ended, slow, until
from scenes import LONGER, Agent
from workloads import CHAIN, LOOSE, WARM, drops


class SlowScenes(Scenery):
    """What must wait for something does, however long that takes."""

    skipped = "" if points.STRACE else "scenes of slow syncs and slow ends, for there is no `strace`"

    def scenes(self) -> Iterable[Scene]:
        return (
            self._slow_end,
            self._ahead_told,
            self._ahead_killed,
            self._claimed_slowly,
            self._slow_disk,
            self._held_death,
            self._reopened,
        )

    def _slow_end(self, root: pathlib.Path) -> Played:
        """Each kill(2) of a keeper takes its time: the next agent begins when the last program is gone, not before."""
        case = self.case(Workload("slow-end", (LONGER, LOOSE), drops("longer-a", "loose-b")), root)
        delay = (str(points.STRACE), "-f", "-b", "execve", "--seccomp-bpf", "-qq", "-o", "/dev/null")
        with_wrapper(case, (*delay, "-e", "trace=kill", "-e", "inject=kill:delay_enter=1500000"))
        agent = Agent(case)
        agent.await_effect(lambda e: e.kind == "S" and e.mode == "longer")
        agent.kill()
        return taken_up(case)

    def _ahead_told(self, root: pathlib.Path) -> Played:
        """Told to stop while attempts are recorded ahead: those are closed as what they are, never begun."""
        case = self._ahead(root)
        agent = self._among_slow_commits(case)
        agent.program.terminate()
        if agent.end() != 0:
            case.complaints.append("other: an agent that was asked to stop did not end with 0")
        case.was_crashed = False
        return taken_up(case)

    def _ahead_killed(self, root: pathlib.Path) -> Played:
        """Killed while attempts are recorded ahead: none was executed that is not recorded."""
        case = self._ahead(root)
        for _ in range(3):
            self._among_slow_commits(case).kill()
        return taken_up(case)

    def _ahead(self, root: pathlib.Path) -> Case:
        names = (f"loose-{n}" for n in range(60))
        return self.case(Workload("ahead", (LOOSE,), drops(*names), settings="concurrency: 2\n"), root)

    @staticmethod
    def _among_slow_commits(case: Case) -> Agent:
        """An agent whose commits take longer than its programs, in the midst of them."""
        count = len(evidence.effects(case.effects))
        agent = slow(case, "fdatasync", "delay_exit=30000")
        until(lambda: len(evidence.effects(case.effects)) >= count + 24)
        return agent

    def _claimed_slowly(self, root: pathlib.Path) -> Played:
        """Killed while one drop is synced, or its row written, and its first program stands ready: it has not begun."""
        case = self.case(Workload("claimed-slowly", (LOOSE, WARM), ()), root)
        socket = case.home / "var/penstock.sock"
        # there are four syncs and two dozen writes to a claim: each is twice as long on its way as it is given
        for number, (call, delay) in enumerate((("fsync", 150_000), ("pwrite64", 20_000)) * 2):
            name = f"{'loose' if number < 2 else 'warm'}-{number}"
            agent = slow(case, call, f"delay_enter={delay}")
            until(socket.exists)
            drop = case.home / "inbox" / name
            case.put(Drop(name.encode()))
            until(functools.partial(is_gone, drop))
            time.sleep(0.2)
            agent.kill()
            if f"{name} claimed" in case.said[-1]:
                case.complaints.append(f"other: the claim of {name} was told before it was on the record")
            socket.unlink(missing_ok=True)
        return taken_up(case)

    def _slow_disk(self, root: pathlib.Path) -> Played:
        """Every sync takes its time, and the agent dies when a program has begun: what began was recorded before."""
        case = self.case(Workload("slow-disk", (CHAIN, LOOSE, WARM), ()), root)
        for number, name in enumerate(("chain", "loose", "warm")):
            count = len(evidence.effects(case.effects))
            case.put(Drop(f"{name}-{number}".encode()))
            agent = slow(case, "fsync,fdatasync,syncfs", "delay_enter=150000")
            until(functools.partial(has_more, case, count))
            agent.kill()
        return taken_up(case)

    def _held_death(self, root: pathlib.Path) -> Played:
        """The agent dies while a program waits ready for its record: it never begins."""
        case = self.case(Workload("held-death", (CHAIN, LOOSE), ()), root)
        for number in range(3):
            count = ended(case)
            case.put(Drop(b"chain-%d" % number))
            agent = slow(case, "fdatasync", "delay_enter=300000")
            until(functools.partial(has_ended_more, case, count))
            time.sleep(0.1)
            agent.kill()
        return taken_up(case)

    def _reopened(self, root: pathlib.Path) -> Played:
        """A writer opens a drop again just before it is claimed: it is worked when it is whole (I03, I08)."""
        case = self.case(Workload("reopened", (LOOSE,), ()), root)
        path = case.home / "inbox/loose-again"
        path.write_bytes(b"half ")
        agent = slow(case, "renameat2", "delay_enter=700000:when=1")
        until(lambda: any((case.home / "var/work").glob("[!.]*")))
        with path.open("ab") as file:
            time.sleep(1.5)
            if any(e.kind == "S" for e in evidence.effects(case.effects)):
                case.complaints.append("lost I03: a drop was worked while its writer had it open")
            file.write(b"whole\n")
        case.accepted.append(accepted(Drop(b"loose-again"), b"half whole\n"))
        agent.await_effect(lambda e: e.kind == "E")
        agent.program.terminate()
        agent.end()
        return taken_up(case)


def is_gone(path: pathlib.Path) -> bool:
    return not path.exists()


def has_more(case: Case, count: int) -> bool:
    return len(evidence.effects(case.effects)) > count


def has_ended_more(case: Case, count: int) -> bool:
    return ended(case) > count
