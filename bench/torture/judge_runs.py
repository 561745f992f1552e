"""I3, I4, I9: every drop has one run, every run came to what its pipeline says, attempt by attempt."""

from __future__ import annotations

import os

import evidence
from case import Case
from evidence import ENDED, Row, Rows
from expectation import Pipeline, Stage

# an agent that is told to stop leaves what it had claimed, and not begun, to the next one
UNBEGUN = "stopped before it began"


def judge_runs(case: Case, rows: Rows) -> list[str]:
    found = []
    for accepted in case.accepted:
        if accepted.drop.kind == "unmatched" or case.recorded:
            continue
        link = accepted.drop.kind == "link"
        own = [
            row
            for row in rows.runs.values()
            if row["drop_name"] == accepted.drop.name and (link or row["drop_sha256"] in {None, accepted.sha256})
        ]
        if len(own) != 1:
            same = sum(a.drop.name == accepted.drop.name for a in case.accepted)
            if len(own) == 0 or len(own) > same:
                kind = "lost" if not own else "doubled"
                found.append(
                    f"{kind} I3: {accepted.drop.name!r} has {len(own)} runs: {[(r['number'], r['state']) for r in own]}"
                )
    for row in rows.runs.values():
        found += judge_run(case, rows, row)
    again = [row["rerun_of"] for row in rows.runs.values() if row["rerun_of"] is not None]
    found += [
        f"doubled I3: run {old} was tried again {again.count(old)} times" for old in set(again) if again.count(old) > 1
    ]
    for pipeline in case.workload.pipelines:
        if pipeline.on_config:
            begun = [
                r["number"] for r in rows.runs.values() if r["pipeline"] == pipeline.name and r["trigger"] == "config"
            ]
            if len(begun) != 1:
                found.append(
                    f"{'lost' if not begun else 'doubled'} I10: the content of {pipeline.name} began {len(begun)} runs, not one"
                )
    found += judge_artifacts(case, rows)
    for pipeline in case.workload.pipelines:
        if "duplicates" in pipeline.trigger:
            found += judge_duplicates(case, rows, pipeline)
    return found


def judge_duplicates(case: Case, rows: Rows, pipeline: Pipeline) -> list[str]:
    """Every content was run; undisturbed, once."""
    own = {run for run, row in rows.runs.items() if row["pipeline"] == pipeline.name}
    ran_ids = {run for run in own if any(a["state"] == "ok" for a in rows.of_run(run))}
    ran = [str(rows.runs[run]["drop_sha256"]) for run in ran_ids]
    dropped = {a.sha256 for a in case.accepted if a.drop.pipeline == pipeline.name}
    if dropped - set(ran) and not case.injects_errors:
        return [f"lost I07: of {pipeline.name} {len(dropped - set(ran))} contents were never run"]
    twins = [row for run, row in rows.runs.items() if run in own and row["drop_sha256"] in set(ran)]
    unmarked = [row["number"] for row in twins if row["duplicate_of"] is None and str(row["id"]) not in ran_ids]
    if unmarked and not case.was_crashed:
        return [f"unrecorded I07: runs {unmarked} do not say that their drop has the content of another"]
    if not case.was_crashed and len(ran) != len(dropped):
        return [f"doubled I07: of {pipeline.name} {len(dropped)} contents were run {len(ran)} times"]
    return []


def judge_run(case: Case, rows: Rows, row: Row) -> list[str]:
    number, state = row["number"], str(row["state"])
    found = []
    if state not in ENDED:
        found.append(f"other I3: run {number} of {row['pipeline']} is {state}, until {row['resumes']}: {row['reason']}")
    if row["drop_name"] is not None and not row["filed"]:
        found.append(f"other I4: run {number} is not marked as filed")
    if state in {"failed", "quarantined", "cancelled"} and not row["reason"]:
        found.append(f"unrecorded I3: run {number} is {state} without a reason")
    attempts = rows.of_run(str(row["id"]))
    found += [
        f"other I3: attempt {a['stage']}.{a['n']} of run {number} is left running"
        for a in attempts
        if a["state"] == "running"
    ]
    pipeline = case.workload.pipeline(str(row["pipeline"]))
    # a hook that defers a stage closes the attempt it was asked about
    defers = pipeline is not None and any(mode == "defer" and event != "before-run" for event, mode in pipeline.hooks)
    if (
        not case.was_crashed
        and not defers
        and any(a["state"] == "interrupted" and a["reason"] != UNBEGUN for a in attempts)
    ):
        found.append(f"other I6: run {number} has an interrupted attempt, and nothing interrupted it")
    special = row["drop_name"] is not None and any(
        a.drop.name == row["drop_name"] and a.drop.kind == "link" for a in case.accepted
    )
    if special:
        return found + (
            [] if state == "quarantined" and not attempts else [f"other I10: the link of run {number} is {state}"]
        )
    if pipeline is None:
        return [*found, f"other I3: run {number} is of pipeline {row['pipeline']!r}, which has no such drop"]
    return found + judge_attempts(case, rows, row, attempts, pipeline)


def judge_attempts(case: Case, rows: Rows, row: Row, attempts: list[Row], pipeline: Pipeline) -> list[str]:
    number, state = row["number"], str(row["state"])
    found = []
    known = {stage.name for stage in pipeline.stages}
    found += [
        f"other I7: run {number} has an attempt of {a['stage']}, which is none of its stages"
        for a in attempts
        if a["stage"] not in known
    ]
    stopped = None
    for stage in pipeline.stages:
        own = sorted((a for a in attempts if a["stage"] == stage.name), key=lambda a: int(str(a["n"])))
        if [a["n"] for a in own] != list(range(1, len(own) + 1)):
            found.append(
                f"unrecorded I6: attempts of {stage.name} in run {number} are numbered {[a['n'] for a in own]}"
            )
        if stopped in pipeline.builds_on(stage.name) and own:
            found.append(f"other I9: stage {stage.name} of run {number} was tried although {stopped} ended the run")
        states = tuple(str(a["state"]) for a in own)
        if stage.on_interrupt != "retry" and "interrupted" in states:
            if states[-1] != "interrupted" or states.count("interrupted") > 1:
                found.append(
                    f"doubled I6: {stage.name} of run {number} forbids another try after an interruption: {states}"
                )
            stopped = stage.name
            continue
        found += judge_states(
            case, number, stage, states, given_up=stopped is not None or state not in {pipeline.state, *ENDED[:1]}
        )
    wanted = {pipeline.state}
    if stopped:
        wanted = (
            {"failed"}
            if any(s.name == stopped and s.on_interrupt == "fail" for s in pipeline.stages)
            else {"cancelled"}
        )
    if case.injects_errors:
        wanted |= {"failed"}
        # hooks of the workloads only warn: one that was killed denies nothing
        if any(call["owner"] == row["id"] and call["exit"] is None for call in rows.calls):
            wanted |= {"done"}
    if state in ENDED and state not in wanted:
        found.append(
            f"other I3: run {number} of {pipeline.name} is {state} ({row['reason']}), and should be {' or '.join(wanted)}"
        )
    return found


def judge_states(case: Case, number: object, stage: Stage, states: tuple[str, ...], *, given_up: bool) -> list[str]:
    real = tuple(s for s in states if s not in {"interrupted", "running"})
    if real in stage.states:
        # what was interrupted comes before what settled it
        if stage.states != ((),) and states and states[-1] == "interrupted" and not case.injects_errors:
            return [f"other I6: {stage.name} of run {number} was interrupted after it had ended: {states}"]
        return []
    if case.injects_errors or given_up:
        return []
    kind = "doubled" if any(len(real) > len(w) for w in stage.states) and real.count("ok") > 1 else "other"
    return [f"{kind} I6: {stage.name} of run {number} came to {states}, and should to {stage.states}"]


def judge_artifacts(case: Case, rows: Rows) -> list[str]:
    found = []
    for row in rows.artifacts:
        path = os.fsencode(case.home / "var/runs" / str(row["id"]) / str(row["path"]))
        digest = evidence.sha256(path) if os.path.lexists(path) else "gone"
        if digest != row["sha256"] and not case.may_be_cleared(str(row["id"])):
            found.append(
                f"lost I2: the artifact {row['path']} of run {row['run']} is {digest[:12]}, recorded is {str(row['sha256'])[:12]}"
            )
    settled = {(row["id"], row["stage"]) for row in rows.attempts if row["state"] == "ok"}
    recorded = {(row["id"], row["stage"]) for row in rows.artifacts}
    found += [
        f"other I4: an output of {stage} of run {run} is recorded, and it did not succeed"
        for run, stage in recorded - settled
    ]
    for run, row in rows.runs.items():
        pipeline = case.workload.pipeline(str(row["pipeline"]))
        for stage in pipeline.stages if pipeline else ():
            leaves = stage.mode in {"pass", "slow", "long", "longer", "flaky", "later"}
            if leaves and (run, stage.name) in settled and (run, stage.name) not in recorded:
                found.append(f"lost I4: {stage.name} of run {row['number']} left an output that is not recorded")
    return found
