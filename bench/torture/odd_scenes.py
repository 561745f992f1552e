"""Scenes of what arrives oddly: names taken over, files written anew, equal contents, items, slots of a schedule."""

from __future__ import annotations

import contextlib
import functools
import itertools
import pathlib
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterable

import evidence
import points
from case import Case
from expectation import Drop, Pipeline, Stage, Workload
from kills import Played, taken_up
from power import can_mount
from scenery import Scene, Scenery, until
from scenes import Agent
from workloads import LOOSE, drops

TWIN = Pipeline("twin", (Stage("first", "fail", (("failed",),)),), "failed", trigger=", duplicates: skip")
NOTED = Pipeline("noted", (Stage("first", "quiet", ((),)),), "quarantined", (("on-arrival", "deny"),), inbox="reason*")
ITEM = '#!/bin/sh\necho "$PENSTOCK_ITEM" >>"$EFFECTS/items"\nsleep 0.03\n'
ITEMS = """
pipeline: { name: items }
trigger: { inbox: "items-*" }
stages: [ { name: one, run: ["./stages/one.sh"], each: { from: input } } ]
"""
TIMED = """
pipeline: { name: timed }
trigger: { schedule: { every: 1s, missed: all, overlap: allow } }
stages: [ { name: only, run: ["./stages/effect", quiet] } ]
"""


class OddScenes(Scenery):
    """Each is worked once, and none is taken for another."""

    def scenes(self) -> Iterable[Scene]:
        scenes = [self._kept_again, self._twin_failed, self._noted, self._items]
        # an inbox on another filesystem needs root
        return scenes if can_mount() else (*scenes, self._renamed_over)

    def once(self) -> Iterable[Scene]:
        return (self._slots,) if points.STRACE else ()

    def _renamed_over(self, root: pathlib.Path) -> Played:
        """What takes the name of a copied source before that is removed is another drop (I08, I25)."""
        case = self.case(Workload("renamed-over", (LOOSE,), drops("loose-a"), is_foreign=True), root)
        case.strike(PENSTOCK_FAILPOINT="copyRecorded:1:kill")
        case.put(Drop(b"loose-new"))
        (case.home / "inbox/loose-new").replace(case.home / "inbox/loose-a")
        case.accepted[-1].drop = Drop(b"loose-a")
        return taken_up(case)

    def _kept_again(self, root: pathlib.Path) -> Played:
        """With `source: keep` a file that was written anew is another drop, also where it is as long."""
        case = self.case(Workload("kept-again", (LOOSE,), (), settings="source: keep\n", keeps=True), root)
        for content in (b"one\n", b"two\n"):
            (case.home / "inbox/.loose-a").write_bytes(content)
            (case.home / "inbox/.loose-a").replace(case.home / "inbox/loose-a")
            case.run(("up", "--once"))
        taken = len(evidence.Rows(case.database).runs)
        found = [] if taken == 2 else [f"lost I25: of two contents {taken} were taken"]
        return True, [*case.complaints, *found], case

    def _twin_failed(self, root: pathlib.Path) -> Played:
        """With `duplicates: skip` the content of a run that failed is worked when it comes again (I07)."""
        case = self.case(Workload("twin-failed", (TWIN,), ()), root)
        for number in range(2):
            case.put(Drop(b"twin-%d" % number, content=b"the same\n"))
            case.run(("up", "--once"))
        rows = evidence.Rows(case.database)
        idle = [row["number"] for run, row in rows.runs.items() if not rows.of_run(run)]
        found = [f"lost I07: runs {idle} were skipped, and nobody has worked their content"] if idle else []
        return True, [*case.complaints, *found], case

    def _noted(self, root: pathlib.Path) -> Played:
        """A quarantined drop that is called as the note beside it."""
        case = self.case(Workload("noted", (NOTED,), ()), root)
        case.put(Drop(b"reason.json"))
        case.run(("up", "--once"))
        filed = (case.home / "var/quarantine").glob("*/*")
        found = []
        if not any(evidence.sha256(bytes(path)) == case.accepted[0].sha256 for path in filed):
            found.append("lost I1: a drop called reason.json is filed nowhere")
        return True, [*case.complaints, *found], case

    def _items(self, root: pathlib.Path) -> Played:
        """What is recorded of an item is not done again after a death, and each is done."""
        case = self.case(Workload("items", (), ()), root)
        (case.home / "stages/one.sh").write_text(ITEM)
        (case.home / "stages/one.sh").chmod(0o755)
        (case.home / "pipelines/items.yaml").write_text(ITEMS)
        case.put(Drop(b"items-a", content=b"".join(b'{"id":"%d"}\n' % n for n in range(120))))
        called = case.effects / "items"
        first: set[str] = set()
        counts: Counter[str] = Counter()
        for number in range(3):
            agent = Agent(case)
            until(functools.partial(has_lines, called, 30 * (number + 1)))
            agent.kill()
            if number == 0:
                counts = Counter(called.read_text().split())
                first = {str(row[0]) for row in read(case, "SELECT id FROM item WHERE state = 'ok'")}
        case.finish()
        now = Counter(called.read_text().split())
        again = [name for name in first if now[name] > counts[name]]
        found = [f"doubled: {len(again)} of {len(first)} items were called again when recorded"] if again else []
        if set(now) != {str(n) for n in range(120)}:
            found.append("lost: items were never called")
        return True, [*case.complaints, *found], case

    def _slots(self, root: pathlib.Path) -> Played:
        """Killed at each commit, an agent leaves out no slot of a schedule and begins none twice (T07)."""
        case = self.case(Workload("slots", (Pipeline("timed", (Stage("only", "quiet", reads="-"),)),), ()), root)
        (case.home / "pipelines/timed.yaml").write_text(TIMED)
        # those before kill the start alone
        for k in range(12, 26):
            agent = Agent(case, before=points.striking(points.Point("fdatasync", k), "signal=KILL"))
            with contextlib.suppress(subprocess.TimeoutExpired):
                agent.program.wait(5)
            agent.kill()
        agent = Agent(case)
        time.sleep(2.5)
        agent.program.terminate()
        agent.end()
        slots = read(case, "SELECT due, state, run FROM slot ORDER BY due")
        runs = sorted(str(row[0]) for row in read(case, "SELECT id FROM run"))
        due = [int(str(row[0])) for row in slots]
        gaps = [(after - before) // 1000 - 1 for before, after in itertools.pairwise(due) if after - before != 1000]
        found = [f"lost T07: slots of {gaps} seconds were neither fired nor skipped"] if gaps else []
        fired = sorted(str(row[2]) for row in slots if row[1] == "fired")
        if fired != runs:
            found.append(f"doubled T07: {len(runs)} runs, and {len(fired)} slots that fired")
        return True, [*case.complaints, *found], case


def has_lines(path: pathlib.Path, count: int) -> bool:
    return path.exists() and len(path.read_text().split()) >= count


def read(case: Case, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{case.database}?mode=ro", uri=True, timeout=10)) as database:
        return database.execute(sql).fetchall()
