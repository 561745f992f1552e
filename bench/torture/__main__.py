"""`make torture`: proves from outside that nothing is lost, doubled or left unrecorded, whatever ends the agent.

Levels: undisturbed runs, the order of syncs, scenes, named failpoints (kill, EIO, ENOSPC), SIGKILL at system calls of the agent and of the
spawner, crash pairs, injected errors, power loss, random SIGKILL under load. All judged by judge.py. Needs root for
power loss and strace for system calls; what cannot be tried here is skipped with a line that says why.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import bugs
import build
import points
from hard_scenes import HardScenes
from jobs import Yard, complain
from kills import Kills
from odd_scenes import OddScenes
from order import order_jobs
from power import Power, can_mount
from scenes import Scenes, load_jobs
from slow_scenes import SlowScenes
from workloads import ALL, BY_NAME


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--short", action="store_true", help="a few minutes: a sample of every level")
    parser.add_argument(
        "--patch",
        type=pathlib.Path,
        help="torture a copy of the tree with this patch; ends with 1 when something is found",
    )
    parser.add_argument(
        "--bugs", action="store_true", help="prove the harness on the seeded bugs of bench/torture/bugs"
    )
    parser.add_argument("--bug", action="append", default=[], help="only the seeded bugs whose names begin so")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or time.time_ns() % 1_000_000))
    parser.add_argument(
        "--only", action="append", default=[], help="levels to try, by the first letters of their names"
    )
    parser.add_argument("--workload", action="append", default=[], choices=sorted(BY_NAME), help="workloads to use")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--programs", type=pathlib.Path, help="programs that are built already, instead of building")
    return parser.parse_args()


def room() -> pathlib.Path:
    """In memory where there is room, for only power loss needs a disk; else below the temporary directory."""
    memory = pathlib.Path("/dev/shm")  # noqa: S108
    try:
        status = os.statvfs(memory)
        if status.f_bavail * status.f_frsize > 1 << 30 and os.access(memory, os.W_OK):
            return pathlib.Path(tempfile.mkdtemp(prefix="torture-", dir=memory))
    except OSError:
        pass
    return pathlib.Path(tempfile.mkdtemp(prefix="torture-"))


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much of each level."""

    scenes: int
    # every nth hit; 0 is the first and the last of each name and workload, and -n of n workloads only
    failpoints: int
    failing: tuple[str, ...]
    fail_every: int
    power: int
    pairs: int
    calls: float
    spawner: float
    errors: int
    kills: int


WHOLE = Sizes(10, 1, ("eio", "enospc", "eio+", "enospc+"), 0, 480, 360, 1, 1, 240, 200)
HUNT = Sizes(1, 2, ("eio", "enospc", "eio+"), -2, 120, 60, 0.05, 0.03, 30, 16)
SHORT = Sizes(1, 7, ("eio",), 25, 16, 12, 0.012, 0.012, 12, 6)


class Torture:
    """One pass over all levels."""

    def __init__(
        self, asked: argparse.Namespace, root: pathlib.Path, programs: pathlib.Path, *, stop_at_first: bool
    ) -> None:
        self.asked = asked
        self.sizes = HUNT if stop_at_first else SHORT if asked.short else WHOLE
        self.yard = Yard(root, asked.seed, asked.workers, stop_at_first=stop_at_first)
        self.workloads = tuple(BY_NAME[name] for name in asked.workload) or ALL
        if can_mount() and any(workload.is_foreign for workload in self.workloads):
            print(f"  skipped: an inbox on another filesystem, for {can_mount()}", flush=True)
            self.workloads = tuple(workload for workload in self.workloads if not workload.is_foreign)
        self.programs = programs
        self.kills = Kills(self.yard, programs, self.workloads)

    def wants(self, level: str) -> bool:
        if self.yard.stop_at_first and self.yard.first:
            return False
        return not self.asked.only or any(level.startswith(word) for word in self.asked.only)

    def run(self) -> None:
        sizes, kills, yard = self.sizes, self.kills, self.yard
        yard.work("undisturbed", kills.quiet_jobs())
        if not points.STRACE:
            print(
                "  skipped: system calls, order of syncs and injected errors, for there is no `strace` (make setup installs it)",
                flush=True,
            )
        elif not (yard.stop_at_first and yard.first):
            kills.trace()
            if self.wants("order of syncs"):
                yard.work("order of syncs", order_jobs(self.programs, can_mount=not can_mount()))
        if self.wants("scenes"):
            others = [kind(self.programs) for kind in (HardScenes, SlowScenes, OddScenes)]
            jobs = [job for scenes in (Scenes(yard, self.programs), *others) for job in scenes.jobs(sizes.scenes)]
            yard.work("scenes", jobs)
        if yard.stop_at_first:
            # what nothing else sees comes first, so that a hunt is short
            self.power()
            self.failing()
        if self.wants("failpoints, kill"):
            yard.work("failpoints, kill", kills.failpoint_jobs("kill", sizes.failpoints))
        if not yard.stop_at_first:
            self.failing()
            self.power()
        if self.wants("crash pairs"):
            yard.work("crash pairs", kills.pair_jobs(sizes.pairs))
        if points.STRACE:
            if self.wants("system calls"):
                yard.work("system calls, kill", kills.call_jobs(sizes.calls))
            if self.wants("the spawner"):
                yard.work("the spawner, kill", kills.spawner_jobs(sizes.spawner))
            if self.wants("errors"):
                yard.work("errors injected", kills.error_jobs(sizes.errors))
        if self.wants("load"):
            yard.work("load, kill", load_jobs(yard, self.programs, sizes.kills, max(2, sizes.kills // 25)))
        self.complain_of_unhit()

    def failing(self) -> None:
        for action in self.sizes.failing:
            if self.wants("failpoints, fail"):
                jobs = self.kills.failpoint_jobs(action, self.sizes.fail_every, "failpoints, fail")
                self.yard.work("failpoints, fail", jobs)

    def power(self) -> None:
        if not self.wants("power loss"):
            return
        why = can_mount()
        if why:
            print(f"  skipped: power loss, for {why}", flush=True)
            return
        power = Power(self.yard, self.programs, self.workloads)
        try:
            power.open()
            self.yard.work("power loss", power.jobs(self.sizes.power, self.kills.hits, self.kills.calls))
        finally:
            power.close()

    def complain_of_unhit(self) -> None:
        """A declared point that nothing hits proves nothing."""
        if self.asked.only or self.asked.workload or self.yard.first:
            return
        unhit = set(points.declared(build.ROOT / "Sources/Core/Failpoint.swift")) - self.kills.names
        if unhit and self.sizes is WHOLE:
            print(f"  WRONG: no workload hits the failpoints {', '.join(sorted(unhit))}", flush=True)
            self.yard.tallies["undisturbed"].other += 1

    def table(self) -> int:
        head = f"{'level':<22}{'points':>8}{'lost':>6}{'doubled':>9}{'unrecorded':>12}{'other':>7}{'passed by':>11}{'seconds':>9}"
        print(f"\n{head}\n{'-' * len(head)}")
        wrong = 0
        for name, tally in self.yard.tallies.items():
            wrong += tally.lost + tally.doubled + tally.unrecorded + tally.other
            counts = f"{tally.points:>8}{tally.lost:>6}{tally.doubled:>9}{tally.unrecorded:>12}{tally.other:>7}{tally.missed:>11}"
            print(f"{name:<22}{counts}{tally.seconds:>9.0f}")
        points_of_kills = sum(t.points for n, t in self.yard.tallies.items() if n.endswith("kill"))
        print(f"kill points: {points_of_kills}; SEED={self.asked.seed}", flush=True)
        # again, for whoever keeps only the end of a log
        for verdict in self.yard.found[:5]:
            complain(verdict)
        return wrong


def main() -> int:
    asked = arguments()
    # so that what is mounted and made goes, however it ends
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    root = room()
    programs = root / "programs"
    programs.mkdir()
    found = 0
    try:
        if asked.bugs:
            return bugs.prove(asked, root)
        print(f"torture: SEED={asked.seed}, {asked.workers} workers in {root}", flush=True)
        if asked.programs:
            shutil.copytree(asked.programs, programs, dirs_exist_ok=True)
        else:
            try:
                build.build(asked.patch, programs)
            except build.Unbuildable as problem:
                print(f"torture: cannot build: {problem}", file=sys.stderr)
                return 2
        torture = Torture(asked, root, programs, stop_at_first=asked.patch is not None)
        try:
            torture.run()
        except KeyboardInterrupt:
            # what was tried until then is told
            found = torture.table()
            print("torture: stopped before its end", flush=True)
            return 130
        found = torture.table()
        if not asked.patch:
            stale = bugs.stale()
            found += len(stale)
            print("\n".join(stale) or f"{len(bugs.patches())} seeded bugs apply to this tree", flush=True)
        first = torture.yard.first
        if asked.patch and first:
            print(f"caught by {first.job.level} at point {first.job.name}: {first.violations[0]}")
        elif asked.patch:
            print("not caught: no level found anything wrong")
        return 1 if found else 0
    finally:
        if found:
            print(f"the workspaces in which something was wrong are kept in {root}", flush=True)
        else:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
