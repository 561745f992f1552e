"""One job is one point: it makes a case, strikes, lets the next agent take up, and judges."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import pathlib
import random
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable

from case import Case


@dataclasses.dataclass
class Verdict:
    """What a point came to: `reached` where it was not passed by."""

    job: Job
    reached: bool
    violations: list[str]
    kept: pathlib.Path | None = None


@dataclasses.dataclass
class Job:
    """A point and how to get there; `play` returns whether it was reached, and what was wrong."""

    level: str
    name: str
    play: Callable[[pathlib.Path], tuple[bool, list[str], Case | None]]
    # kills within it
    weight: int = 1


@dataclasses.dataclass
class Tally:
    """The row of a level."""

    points: int = 0
    missed: int = 0
    lost: int = 0
    doubled: int = 0
    unrecorded: int = 0
    other: int = 0
    seconds: float = 0

    def count(self, verdict: Verdict) -> None:
        if not verdict.reached:
            self.missed += 1
        else:
            self.points += verdict.job.weight
        for kind in ("lost", "doubled", "unrecorded"):
            if any(v.startswith(kind) for v in verdict.violations):
                setattr(self, kind, getattr(self, kind) + 1)
        if any(not v.startswith(("lost", "doubled", "unrecorded")) for v in verdict.violations):
            self.other += 1


class Yard:
    """Where cases are made, and the hands that work them."""

    def __init__(self, root: pathlib.Path, seed: int, workers: int, *, stop_at_first: bool) -> None:
        self.root = root
        self.seed = seed
        self.workers = workers
        self.stop_at_first = stop_at_first
        self.tallies: dict[str, Tally] = {}
        self.first: Verdict | None = None
        self.found: list[Verdict] = []
        self._count = 0
        self._lock = threading.Lock()

    def chance(self, *salt: object) -> random.Random:
        return random.Random(f"{self.seed} {salt}")  # noqa: S311

    def work(self, level: str, jobs: Iterable[Job]) -> None:
        """Works the jobs of a level and says how it goes."""
        todo = list(jobs)
        tally = self.tallies.setdefault(level, Tally())
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            futures = [pool.submit(self._play, job) for job in todo]
            try:
                self._follow(level, tally, futures)
            finally:
                for future in futures:
                    future.cancel()
        tally.seconds += time.monotonic() - began
        print(f"  {level}: {tally.points} points in {tally.seconds:.0f} s, {self._wrong(tally)}", flush=True)

    def _follow(self, level: str, tally: Tally, futures: list[concurrent.futures.Future[Verdict]]) -> None:
        told = time.monotonic()
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            if future.cancelled():
                continue
            verdict = future.result()
            tally.count(verdict)
            if verdict.violations:
                self.found.append(verdict)
                complain(verdict)
                if self.stop_at_first:
                    return
            if time.monotonic() - told > 20:
                told = time.monotonic()
                print(f"  {level}: {number} of {len(futures)}, {tally.points} reached", flush=True)

    @staticmethod
    def _wrong(tally: Tally) -> str:
        wrong = tally.lost + tally.doubled + tally.unrecorded + tally.other
        return f"{wrong} wrong" if wrong else "all well"

    def _play(self, job: Job) -> Verdict:
        with self._lock:
            self._count += 1
            root = self.root / f"case-{self._count}"
        if self.stop_at_first and self.first:
            return Verdict(job, reached=False, violations=[])
        root.mkdir()
        try:
            reached, violations, case = job.play(root)
        except Exception as error:
            reached, violations, case = True, [f"other harness: {type(error).__name__}: {error}"], None
        verdict = Verdict(job, reached, violations)
        unmount_below(root)
        if violations and self.first is None:
            self.first = verdict
        if violations and sum(t.lost + t.doubled + t.unrecorded + t.other for t in self.tallies.values()) < 5:
            verdict.kept = root
            (root / "found.txt").write_text("\n".join([job.name, *violations, *(case.said if case else [])]))
        else:
            shutil.rmtree(root, ignore_errors=True)
        return verdict


def complain(verdict: Verdict) -> None:
    print(f"  WRONG at {verdict.job.level} {verdict.job.name}", flush=True)
    for text in verdict.violations[:6]:
        print(f"    {text}", flush=True)
    if verdict.kept:
        print(f"    the workspace is kept: {verdict.kept}", flush=True)


def unmount_below(root: pathlib.Path) -> None:
    """What a case mounted goes with it, however it ended."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1]
        if place.startswith(f"{root}/"):
            subprocess.run(["umount", "-l", place], capture_output=True, check=False)
