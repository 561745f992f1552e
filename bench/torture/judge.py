"""The invariants I1 to I14 of faults.md 3b, as far as this version has what they speak of.

Every violation is told with its evidence. The words before the colon are the table's columns: lost, doubled,
unrecorded, other.
"""

from __future__ import annotations

import json
import os
import time

import evidence
from case import Case
from judge_effects import judge_effects
from judge_runs import judge_runs


def judge(case: Case, *, converges: bool) -> list[str]:
    """All that is wrong when nothing is left to do; empty where nothing is."""
    found = list(case.complaints)
    try:
        rows = evidence.Rows(case.database)
    except Exception as error:
        return [*found, f"other I11: the database cannot be read: {error}"]
    forgotten = case.recorded - rows.runs.keys()
    wrongly = forgotten if "gc" not in case.workload.command else forgotten - case.ended
    if wrongly:
        found.append(f"lost I3: {len(wrongly)} runs are gone that nobody may forget")
    effects = [effect for effect in evidence.effects(case.effects) if effect.run not in forgotten]
    found += [f"other I11: {damage}" for damage in rows.damage]
    found += judge_files(case, rows)
    found += judge_runs(case, rows)
    found += judge_effects(case, rows, effects)
    found += judge_processes(case)
    if converges:
        found += judge_convergence(case)
    return found


def is_told_as_held(case: Case, name: bytes) -> bool:
    words = f"{name.decode(errors='replace')} is held in the inbox: its drop is claimed, and it cannot be removed"
    return any(words in said for said in case.said)


def judge_files(case: Case, rows: evidence.Rows) -> list[str]:
    found = []
    places = evidence.filed(case.home)
    inbox = evidence.below(case.home / "inbox")
    mine = evidence.sha256(bytes(case.home / "samples/mine.csv"))
    wanted: dict[tuple[bytes, str], int] = {}
    for accepted in case.accepted:
        kind = accepted.drop.kind
        if case.workload.keeps and inbox.pop(accepted.drop.name, None) != accepted.sha256:
            found.append(f"lost I1: {accepted.drop.name!r} should be left in the inbox, and is not there as it was")
        if kind == "unmatched":
            if inbox.pop(accepted.drop.name, None) != accepted.sha256:
                found.append(f"lost I1: the unmatched {accepted.drop.name!r} is not in the inbox as it was")
            continue
        key = (accepted.drop.name, "link" if kind == "link" else accepted.sha256)
        wanted[key] = wanted.get(key, 0) + 1
    for again in rows.runs.values():
        # a retry works on a copy, and files it
        if again["rerun_of"] is not None and isinstance(again["drop_name"], bytes):
            # its own digest is not recorded where it could not be made
            old = rows.runs.get(str(again["rerun_of"]), again)
            key = (again["drop_name"], str(again["drop_sha256"] or old["drop_sha256"]))
            wanted[key] = wanted.get(key, 0) + 1
    # `gc` takes away what a killed `put` left, after a day
    # where an error stands in the way of its removal it is told, and left to a person
    held = {name for name in inbox if case.injects_errors and is_told_as_held(case, name)}
    found += [
        f"other I12: {name!r} is left in the inbox" for name in inbox.keys() - held if not name.startswith(b".put-")
    ]
    got: dict[tuple[bytes, str], int] = {}
    for filed in places:
        if filed.place == "work":
            found.append(f"other I5: var/work/{filed.run} is left with {list(filed.files)}")
        row = rows.runs.get(filed.run)
        if row is None and case.may_be_cleared(filed.run):
            pass
        elif row is None:
            found.append(f"unrecorded I4: var/{filed.place}/{filed.run} with {list(filed.files)} has no run")
        elif filed.place != {"done": "done", "quarantined": "quarantine"}.get(str(row["state"]), "failed"):
            found.append(f"other I4: run {row['number']} is {row['state']} and its drop lies in {filed.place}")
        if row is not None:
            found += judge_filed(case, filed, row)
        for name, digest in filed.files.items():
            if name != b"reason.json" and (name, digest) != (b"mine.csv", mine):
                got[name, digest] = got.get((name, digest), 0) + 1
    for key in wanted.keys() | got.keys():
        want, have = wanted.get(key, 0), got.get(key, 0)
        if case.workload.puts and key == (case.workload.puts.name, mine) and want == 0 and have == 1:
            continue
        if have < want:
            found.append(f"lost I1: {key[0]!r} ({key[1][:12]}) was dropped {want} times and is filed {have} times")
        elif have > want:
            found.append(
                f"doubled I1/I2: {key[0]!r} ({key[1][:12]}) was dropped {want} times and is filed {have} times"
            )
    with_drop = {run for run, row in rows.runs.items() if row["drop_name"] is not None}
    filed_runs = {filed.run for filed in places}
    found += [
        f"lost I4: the drop of run {rows.runs[run]['number']} ({rows.runs[run]['state']}) lies nowhere"
        for run in with_drop - filed_runs
    ]
    known = evidence.below(case.home / "var/runs")
    found += [
        f"unrecorded I4: var/runs/{name!r} has no run"
        for name in known
        # a directory without a row is garbage to the next `gc`
        if name != b".spare"
        and (run := name.decode(errors="replace")) not in rows.runs
        and not case.may_be_cleared(run)
    ]
    for other, digest in case.others.items():
        if not other.exists() or evidence.sha256(bytes(other)) != digest:
            found.append(f"lost I2: {other.name}, the other name of a drop, was changed")
    if mine != evidence.sha256(bytes(case.home / "samples/mine.csv")):
        found.append("lost I2: the input of a run by hand was changed")
    return found


def judge_filed(case: Case, filed: evidence.Filed, row: evidence.Row) -> list[str]:
    """The bytes of a drop are those of its row, and its alone (I09)."""
    found = judge_reason(case, filed, row) if filed.place == "quarantine" else []
    folder = os.fsencode(case.home / "var" / filed.place / filed.run)
    found += [
        f"lost I2: {name!r} of run {row['number']} is filed, and shares its bytes with another name"
        for name in filed.files
        if os.lstat(os.path.join(folder, name)).st_nlink > 1
    ]
    if isinstance(row["drop_name"], bytes) and row["drop_sha256"]:
        digest = filed.files.get(row["drop_name"])
        if digest not in {None, row["drop_sha256"]}:
            found.append(f"lost I2: the drop of run {row['number']} is filed with other bytes than were recorded")
    return found


def judge_reason(case: Case, filed: evidence.Filed, row: evidence.Row) -> list[str]:
    """The note beside a quarantined drop says what the row says."""
    path = case.home / f"var/quarantine/{filed.run}/reason.json"
    try:
        reason = json.loads(path.read_text())["reason"]
    except (OSError, ValueError, KeyError) as error:
        return [f"unrecorded I4: no reason in var/quarantine/{filed.run}: {error}"]
    return (
        []
        if reason == row["reason"]
        else [f"other I4: run {row['number']} is quarantined for {row['reason']!r}, and the note says {reason!r}"]
    )


def judge_processes(case: Case) -> list[str]:
    for _ in range(40):
        left = evidence.leftovers(case.home)
        if not left:
            return []
        time.sleep(0.05)
    return [f"other I12: still running: {left}"]


def judge_convergence(case: Case) -> list[str]:
    before = evidence.tables(case.database), evidence.tree(case.home)
    case.run(("up", "--once"))
    after = evidence.tables(case.database), evidence.tree(case.home)
    found = []
    if before[0] != after[0]:
        changed = [row for row in after[0] if row not in before[0]] or [row for row in before[0] if row not in after[0]]
        found.append(f"other I14: another start changed rows: {changed[:3]}")
    if before[1] != after[1]:
        found.append(f"other I14: another start changed files: {sorted(set(before[1]) ^ set(after[1]))[:4]}")
    return found
