"""I6 to I9 by the effect log: what really ran, against what is recorded."""

from __future__ import annotations

import collections
import re

import evidence
from case import Case, fnv
from evidence import Effect, Rows


def judge_effects(case: Case, rows: Rows, effects: list[Effect]) -> list[str]:
    found = [
        f"other I8: two programs of run {e.run} overlapped: {e.event} {e.stage}.{e.attempt} ({e.mode})"
        for e in effects
        if e.kind == "X"
    ]
    begun = [e for e in effects if e.kind == "S" and e.event == "stage"]
    found += judge_places(case, effects)
    ends = {e.key: e for e in effects if e.kind == "E" and e.event == "stage"}
    recorded = {(str(a["id"]), str(a["stage"]), int(str(a["n"]))): a for a in rows.attempts}
    counted = collections.Counter(e.key for e in begun)
    for key, count in counted.items():
        if count > 1:
            found.append(f"doubled I6: attempt {key[1]}.{key[2]} of run {key[0]} was executed {count} times")
        if key not in recorded:
            found.append(f"unrecorded I7: {key[1]}.{key[2]} of run {key[0]} was executed and has no row")
    for key, row in recorded.items():
        if row["exit"] is None:
            continue
        if key not in counted:
            found.append(f"other I7: {key[1]}.{key[2]} of run {key[0]} says exit {row['exit']}, and never ran")
        elif key not in ends or ends[key].digest != row["exit"]:
            real = ends[key].digest if key in ends else "no end"
            found.append(f"other I7: {key[1]}.{key[2]} of run {key[0]} says exit {row['exit']}, and really {real}")
    for run in {e.run for e in begun}:
        found += judge_order(case, rows, run, [e for e in begun if e.run == run], ends)
    found += judge_hooks(case, rows, effects)
    return found


def judge_places(case: Case, effects: list[Effect]) -> list[str]:
    """No more stages at once than `concurrency` says; of those only that came through."""
    limit = re.search(r"concurrency: (\d+)", case.workload.settings)
    if not limit:
        return []
    begun = {(e.key, e.pid): e.at for e in effects if e.kind == "S" and e.event == "stage"}
    spans = [(begun[e.key, e.pid], e.at) for e in effects if e.kind == "E" and (e.key, e.pid) in begun]
    most = max((sum(a <= at < b for a, b in spans) for at, _ in spans), default=0)
    return [f"other: {most} programs ran at once, and concurrency is {limit[1]}"] if most > int(limit[1]) else []


def judge_order(
    case: Case, rows: Rows, run: str, begun: list[Effect], ends: dict[tuple[str, str, int], Effect]
) -> list[str]:
    row = rows.runs.get(run)
    pipeline = case.workload.pipeline(str(row["pipeline"])) if row else None
    if row is None or pipeline is None:
        return [f"unrecorded I7: run {run} had programs and has no row"]
    found = []
    over: set[str] = set()
    for effect in sorted(begun, key=lambda e: e.at):
        for other in begun:
            end = ends.get(other.key)
            if other.stage in pipeline.builds_on(effect.stage) and other.at < effect.at and end and end.at > effect.at:
                found.append(
                    f"other I8: {effect.stage} of run {row['number']} began while {other.stage}, which it builds on, ran"
                )
        if effect.stage in over:
            found.append(
                f"doubled I9: {effect.stage}.{effect.attempt} of run {row['number']} ran again after a stage had begun that needs it"
            )
        over |= pipeline.builds_on(effect.stage)
    return found + judge_inputs(case, run, row, begun)


def judge_inputs(case: Case, run: str, row: evidence.Row, begun: list[Effect]) -> list[str]:
    """Each program was given all of what it should be given."""
    pipeline = case.workload.pipeline(str(row["pipeline"]))
    drop = next((a for a in case.accepted if a.drop.name == row["drop_name"] and a.sha256 == row["drop_sha256"]), None)
    if pipeline is None or case.may_be_cleared(run):
        return []
    found = []
    for effect in begun:
        stage = next((s for s in pipeline.stages if s.name == effect.stage), None)
        if stage is None or stage.reads == "-":
            continue
        if not stage.reads:
            want = drop.fnv if drop else 0
        else:
            path = case.home / "var/runs" / run / stage.reads / "o"
            want = fnv(path.read_bytes()) if path.exists() else 1
        if want and effect.digest != want and not case.injects_errors:
            found.append(
                f"other I2: {effect.stage}.{effect.attempt} of run {row['number']} was given something else than {stage.reads or 'its drop'}"
            )
    return found


def judge_hooks(case: Case, rows: Rows, effects: list[Effect]) -> list[str]:
    found = []
    called = collections.Counter((e.run, e.event) for e in effects if e.kind == "S" and e.event != "stage")
    recorded = collections.Counter((str(c["owner"]), str(c["event"])) for c in rows.calls if c["unstarted"] is None)
    # one that a signal ended may never have come to write
    through = collections.Counter((str(c["owner"]), str(c["event"])) for c in rows.calls if c["exit"] is not None)
    for key in called.keys() | recorded.keys():
        was, said = called[key], recorded[key]
        if through[key] > was or (said < was and not case.was_crashed):
            found.append(
                f"unrecorded hooks: {key[1]} of run {key[0]} was called {was} times and is recorded {said} times"
            )
    if case.injects_errors:
        return found
    for run, row in rows.runs.items():
        pipeline = case.workload.pipeline(str(row["pipeline"]))
        if pipeline is None or row["state"] == "cancelled":
            continue
        for event, _ in pipeline.hooks:
            if event.endswith("-stage") or (row["state"] == "quarantined" and event == "after-run"):
                continue
            if not recorded[run, event]:
                found.append(
                    f"unrecorded hooks: run {row['number']} ended as {row['state']}, and {event} is not recorded"
                )
    return found
