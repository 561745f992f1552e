#!/usr/bin/env python3
# Keeps the feature importances of every run, tells how stable they are, warns below IMPORTANCE_STABILITY (0.6).
# On: ln -s ../examples/importance-stability.py hooks/after-evaluate.d/50-importances
"""The figure: of the 10 most important features, the share that two runs have in common (Jaccard), this run against
each of the last 10 of its pipeline, and of that the mean: 1 is always the same features, 0 never. It goes into the
context as `importance_stability`, for later stages and hooks."""
import fcntl
import json
import os
import sys
from pathlib import Path

TOP, PAST = 10, 10


def importances(request):
    """From the model card: what `tabular/train` left, which `evaluate` was given."""
    for entry in request["inputs"]:
        if entry["name"] == "model_card":
            card = json.loads(Path(entry["path"]).read_bytes())
            return {row["feature"]: row["importance"] for row in card.get("importances") or []}
    return {}


def top(features):
    ranked = sorted(features, key=lambda name: (-features[name], name))
    return {name for name in ranked[:TOP] if features[name] > 0}


def overlap(one, other):
    return len(one & other) / len(one | other) if one | other else 1.0


def snapshots(file):
    """By run: a line that a crash cut short is passed over, and a hook that is called again counts once."""
    found = {}
    for line in file:
        try:
            entry = json.loads(line)
            found[entry["run"]] = entry["importances"]
        except (ValueError, KeyError, TypeError):
            continue
    return found


def main():
    request = json.load(sys.stdin)
    now = importances(request)
    if request["outcome"]["state"] != "ok" or not now:
        return {}
    run = request["run"]
    folder = Path(request["home"]) / "var" / "importances"
    folder.mkdir(mode=0o700, exist_ok=True)
    with open(folder / (run["pipeline"].replace("/", ".") + ".ndjson"), "a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # runs of one pipeline may end at once
        file.seek(0)
        known = snapshots(file)
        if run["id"] not in known:
            # the line break first: the last line may have been cut short
            file.write("\n" + json.dumps({"run": run["id"], "number": run["number"], "importances": now}) + "\n")
    past = [features for other, features in known.items() if other != run["id"]][-PAST:]
    if not past:
        return {"reason": "the first run of this pipeline: nothing to compare with"}
    stability = round(sum(overlap(top(now), top(features)) for features in past) / len(past), 3)
    words = f"feature importances are {stability} stable over the last {len(past) + 1} runs"
    reply = {"reason": words, "patch": {"context": {"importance_stability": stability}}}
    limit = float(os.environ.get("IMPORTANCE_STABILITY", 0.6))
    if stability < limit:
        reply["warnings"] = [f"{words}, and {limit} is the least: the model looks at other things than before"]
    return reply


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
