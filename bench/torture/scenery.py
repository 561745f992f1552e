"""What all scenes but those of scenes.py share: a workspace to play in, and their jobs."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Iterable, Iterator

import evidence
import points
from case import Case
from expectation import Workload
from jobs import Job
from kills import Played
from scenes import Agent

Scene = Callable[[pathlib.Path], Played]
# of a tracer that hurts nobody: it is no parent of the agent
ASIDE = (str(points.STRACE), "-D", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e", "signal=none")


class Scenery:
    """Scenes of one kind."""

    # why they cannot be played here, in words
    skipped = ""

    def __init__(self, programs: pathlib.Path) -> None:
        self.programs = programs

    def scenes(self) -> Iterable[Scene]:
        """Those that are played in each round."""
        raise NotImplementedError

    def once(self) -> Iterable[Scene]:
        """Those that take long, and are played in the first round alone."""
        return ()

    def jobs(self, rounds: int = 1) -> Iterator[Job]:
        if self.skipped:
            print(f"  skipped: {self.skipped}", flush=True)
            return
        for number in range(rounds):
            for scene in (*self.scenes(), *(self.once() if number == 0 else ())):
                yield Job("scenes", f"{scene.__name__.removeprefix('_')} #{number}", scene)

    def case(self, workload: Workload, root: pathlib.Path) -> Case:
        case = Case(workload, root, self.programs)
        case.make()
        case.was_crashed = True
        return case


def slow(case: Case, calls: str, delay: str) -> Agent:
    """An agent some of whose system calls take their time."""
    return Agent(case, before=(*ASIDE, "-e", f"trace={calls}", "-e", f"inject={calls}:{delay}"))


def until(condition: Callable[[], bool], limit: float = 20) -> None:
    """Waits for what may never be: the judge says what that means."""
    end = time.monotonic() + limit
    while time.monotonic() < end and not condition():
        time.sleep(0.003)


def ended(case: Case) -> int:
    """How many programs came through."""
    return sum(effect.kind == "E" for effect in evidence.effects(case.effects))
