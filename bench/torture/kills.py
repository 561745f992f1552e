"""Levels that kill the agent: at named failpoints and system calls (S01), in pairs (S04); and that let a step fail."""

from __future__ import annotations

import collections
import functools
import pathlib
import shutil
from collections.abc import Iterator

import evidence
import points
from case import Case
from expectation import Workload
from jobs import Job, Yard
from judge import judge
from points import Point
from workloads import CHECKED

KILLED = {-9, 137}
# where a disk that fails must end the agent: what it has recorded or made durable is not known any more
STORAGE = {"claimSynced", "filingSynced"}
Played = tuple[bool, list[str], Case | None]


class Kills:
    """Makes the jobs; what it records in the first runs of each workload is where the points come from."""

    def __init__(self, yard: Yard, programs: pathlib.Path, workloads: tuple[Workload, ...]) -> None:
        self.yard = yard
        self.programs = programs
        self.workloads = workloads
        self.hits: dict[str, list[Point]] = {}
        self.calls: dict[str, list[Point]] = {}
        self.spawner_calls: dict[str, list[Point]] = {}
        self.names: set[str] = set()

    def _case(self, workload: Workload, root: pathlib.Path) -> Case:
        case = Case(workload, root, self.programs)
        case.make()
        return case

    # nothing happens: what the workload comes to, exactly

    def quiet_jobs(self) -> Iterator[Job]:
        for workload in (*self.workloads, CHECKED):
            yield Job("undisturbed", workload.name, functools.partial(self._quiet, workload))

    def _quiet(self, workload: Workload, root: pathlib.Path) -> Played:
        case = self._case(workload, root)
        code = case.command(PENSTOCK_FAILPOINT_LOG=str(root / "hits"))
        judge_code(case, code)
        self.hits[workload.name] = points.hits(root / "hits")
        self.names |= {hit.name for hit in self.hits[workload.name]}
        return taken_up(case)

    def trace(self) -> None:
        """Records which system calls each workload makes."""
        for workload in self.workloads:
            root = self.yard.root / f"trace-{workload.name}"
            root.mkdir()
            case = self._case(workload, root)
            case.run(workload.command, before=points.tracing(root / "trace", points.CHANGING))
            self.calls[workload.name] = points.called(root / "trace", case)
            case.close()
            shutil.rmtree(root)
            root.mkdir()
            case = self._case(workload, root)
            with_wrapper(case, points.tracing(root / "trace", points.SPAWNING))
            case.run(workload.command)
            self.spawner_calls[workload.name] = points.called(root / "trace", case) if (root / "trace").exists() else []
            case.close()
            shutil.rmtree(root)

    # (a) named failpoints

    def failpoint_jobs(self, action: str, every: int = 1, level: str = "failpoints, kill") -> Iterator[Job]:
        few = collections.Counter[str]()
        for workload in self.workloads:
            for point in self.hits[workload.name][::every] if every > 0 else self._first_and_last(workload):
                few[point.name] += 1
                if every < 0 and few[point.name] > -2 * every:
                    continue
                yield Job(
                    level,
                    f"{workload.name} {point} {action}",
                    functools.partial(self._failpoint, workload, point, action),
                )

    def _first_and_last(self, workload: Workload) -> list[Point]:
        most = {point.name: point for point in self.hits[workload.name]}
        first = [Point(name, 1) for name in most]
        return first + [point for point in most.values() if point.k > 1]

    def _failpoint(self, workload: Workload, point: Point, action: str, root: pathlib.Path) -> Played:
        case = self._case(workload, root)
        case.injects_errors = action != "kill"
        limit, log = 40 if action == "kill" else 6, str(root / "hits")
        code = case.strike(PENSTOCK_FAILPOINT=f"{point}:{action}", PENSTOCK_FAILPOINT_LOG=log, limit=limit)
        # how often a point is hit may differ from run to run, as where drops are filed in groups
        is_reached = point in points.hits(root / "hits")
        if is_reached and action != "kill" and point.name in STORAGE and code != 70:
            case.complaints.append(
                f"other S05: the disk failed at {point.name}, and the agent ended with {code}, not with 70"
            )
        case.take_up()
        return is_reached if action != "kill" else code in KILLED, judge(case, converges=True), case

    # (b) system calls

    def call_jobs(self, share: float = 1.0) -> Iterator[Job]:
        for workload in self.workloads:
            chance = self.yard.chance("calls", workload.name)
            for point in self.calls[workload.name]:
                if chance.random() < share:
                    yield Job(
                        "system calls, kill", f"{workload.name} {point}", functools.partial(self._call, workload, point)
                    )

    def _call(self, workload: Workload, point: Point, root: pathlib.Path) -> Played:
        case = self._case(workload, root)
        code = case.strike(before=points.striking(point, "signal=KILL"))
        case.take_up()
        return code in KILLED, judge(case, converges=point.k % 4 == 1), case

    def spawner_jobs(self, share: float = 1.0) -> Iterator[Job]:
        for workload in self.workloads:
            chance = self.yard.chance("spawner", workload.name)
            for point in self.spawner_calls[workload.name]:
                if chance.random() < share:
                    yield Job(
                        "the spawner, kill",
                        f"{workload.name} {point}",
                        functools.partial(self._spawner, workload, point),
                    )

    def _spawner(self, workload: Workload, point: Point, root: pathlib.Path) -> Played:
        case = self._case(workload, root)
        # a keeper that is killed fails its stage, as any program would
        case.injects_errors = True
        with_wrapper(case, points.striking(point, "signal=KILL"))
        case.strike()
        case.take_up()
        return True, judge(case, converges=point.k % 4 == 1), case

    # (d) pairs

    def pair_jobs(self, count: int) -> Iterator[Job]:
        chance = self.yard.chance("pairs")
        firsts = [(workload, point) for workload in self.workloads for point in self.hits[workload.name]]
        # where a program may be under way, recovery has the most to do
        busy = [pair for pair in firsts if pair[1].name in {"programAsked", "programEnded", "stepRecording"}]
        for number in range(count):
            workload, first = chance.choice(busy if number % 3 == 0 else firsts)
            name = f"{workload.name} {first} then pair {number}"
            yield Job("crash pairs", name, functools.partial(self._pair, workload, first, number))

    def _pair(self, workload: Workload, first: Point, number: int, root: pathlib.Path) -> Played:
        """The second point is chosen among those a recovery from the first really hits."""
        rehearsal = root / "rehearsal"
        case = self._case(workload, rehearsal)
        case.strike(PENSTOCK_FAILPOINT=f"{first}:kill")
        case.run(("up", "--once"), PENSTOCK_FAILPOINT_LOG=str(root / "hits"))
        found = points.hits(root / "hits")
        self.names |= {hit.name for hit in found}
        case.close()
        shutil.rmtree(rehearsal)
        chance = self.yard.chance("pair", number)
        recovering = [hit for hit in found if hit.name.startswith("recovery")]
        among = recovering if recovering and chance.random() < 0.5 else found or [Point("stepRecorded", 1)]
        wanted = chance.choice(sorted({point.name for point in among}))
        second = chance.choice([point for point in among if point.name == wanted])
        case = self._case(workload, root / "case")
        one = case.strike(PENSTOCK_FAILPOINT=f"{first}:kill")
        for drop in workload.late:
            case.put(drop)
        two = case.run(("up", "--once"), PENSTOCK_FAILPOINT=f"{second}:kill")
        case.complaints = [text for text in case.complaints if "-9" not in text]
        case.finish()
        found_wrong = [f"{text} (second point {second})" for text in judge(case, converges=True)]
        return one in KILLED and two in KILLED, found_wrong, case

    # error injection

    def error_jobs(self, count: int) -> Iterator[Job]:
        chance = self.yard.chance("errors")
        wanted = (
            "write",
            "pwrite64",
            "fsync",
            "fdatasync",
            "renameat2",
            "renameat",
            "rename",
            "openat",
            "mkdirat",
            "mkdir",
            "unlinkat",
            "ftruncate",
        )
        every: list[tuple[Workload, Point]] = []
        for workload in self.workloads:
            every += [(workload, point) for point in self.calls[workload.name] if point.name in wanted]
        # each name as often as any other, for most calls are writes of the database
        names = sorted({point.name for _, point in every})
        for number in range(count):
            name = names[number % len(names)]
            workload, point = chance.choice([pair for pair in every if pair[1].name == name])
            errors = ["EMFILE", "EIO"] if name == "openat" else ["EIO", "ENOSPC"]
            error, persistent = errors[number // len(names) % 2], "+" if chance.random() < 0.4 else ""
            label = f"{workload.name} {point}{persistent} {error}"
            yield Job("errors injected", label, functools.partial(self._error, workload, point, error, persistent))

    def _error(self, workload: Workload, point: Point, error: str, persistent: str, root: pathlib.Path) -> Played:
        case = self._case(workload, root)
        case.injects_errors = True
        words = [*points.striking(point, f"error={error}")]
        words[-1] += persistent
        case.strike(before=tuple(words), limit=5)
        return taken_up(case)


def taken_up(case: Case) -> Played:
    """Another agent takes up what was left, and all has come to what it should."""
    case.take_up()
    return True, judge(case, converges=True), case


def judge_code(case: Case, code: int) -> None:
    """`up --once` says by its exit code whether a run failed or was quarantined."""
    if case.workload.command != ("up", "--once"):
        return
    states = {row["state"] for run, row in evidence.Rows(case.database).runs.items() if run not in case.recorded}
    want = 1 if states & {"failed", "quarantined"} else 0
    if code != want:
        case.complaints.append(
            f"other: `penstock up --once` ended with {code}, and should with {want}: runs are {sorted(states)}"
        )


def with_wrapper(case: Case, words: tuple[str, ...]) -> None:
    """Gives the case an agent whose first spawner is started by `words`, and whose later ones are plain."""
    folder = case.root / "bin"
    folder.mkdir()
    for name in ("penstock", "effect"):
        (folder / name).hardlink_to(case.programs / name)
    real = folder / "real-spawner"
    real.hardlink_to(case.programs / "penstock-spawner")
    quoted = " ".join(f"'{word}'" for word in words)
    wrapper = folder / "penstock-spawner"
    wrapper.write_text(f"#!/bin/sh\nmkdir '{case.root}/first' 2>/dev/null && exec {quoted} '{real}'\nexec '{real}'\n")
    wrapper.chmod(0o755)
    case.programs = folder
