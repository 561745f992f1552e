"""`bench/trials`: what a search over the levels of stages costs, and whether it errs, on grids of real data."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

import datasets
import grid
import kept
import replay
import wider
from compare import Methods, compare
from score import Score, table


def main() -> int:
    """Makes the grids, replays them, prints the tables; returns the exit code."""
    asked = _arguments()
    whole: dict[str, list[Score]] = {}
    methods = Methods(dict(_named(text) for text in asked.ours), not asked.only_ours)
    for name in asked.datasets.split(","):
        data = datasets.named(name)
        began = time.monotonic()
        made = grid.make(data, asked.blocks, asked.jobs, Path(asked.cache))
        if asked.keep:
            print(f"kept as {kept.keep(made, kept.FOLDER)}")
        made = wider.widen(made, asked.wider)
        margin = asked.margin or data.margin
        true = replay.truth(made, margin)
        print(describe(made, true, time.monotonic() - began), flush=True)
        print(effects(made, true), flush=True)
        if asked.grid_only:
            continue
        scores = compare(made, margin, asked.replays, asked.jobs, methods)
        print(table(f"**{name}**, margin {margin:g}, {asked.replays} worlds", scores), flush=True)
        for method, found in scores.items():
            whole.setdefault(method, []).extend(found)
    if "," in asked.datasets and whole:
        print(table("**All data sets**", whole))
    return 0


def describe(made: grid.Grid, true: replay.Truth, wall: float) -> str:
    """What the grid took and what it says."""
    best = true.oracle
    inferior = sum(true.wrong(arm) for arm in range(len(made.arms)))
    return (
        f"{made.data.name}: {len(made.arms)} arms x {made.quality.shape[1]} blocks x {made.quality.shape[2]} folds; "
        f"cold {made.cost.sum():.0f} CPU s, with shared stages {made.worked:.0f} CPU s ({wall:.0f} s now)\n"
        f"  coarse {made.data.metric} {made.quality[0].mean():.4f}; {inferior} arms lose more than the margin; "
        f"half-oracle `{made.words(best)}`: loss {true.loss[best]:+.4f}, {true.speed(best):.1f} times as fast"
    )


def effects(made: grid.Grid, true: replay.Truth) -> str:
    """By level the cost of a fold and the loss, each the mean over all arms that have it, against those with coarse."""
    lines = ["", "| stage | level | CPU s less | loss |", "|---|---|---|---|"]
    for place, (stage, found) in enumerate(made.stages().items()):
        having = {level: np.array([arm[place] == level for arm in made.arms]) for level in found}
        full = having["coarse"]
        for level in found[1:]:
            saved = true.cost[full].mean() - true.cost[having[level]].mean()
            loss = true.loss[having[level]].mean() - true.loss[full].mean()
            lines.append(f"| {stage} | {level} | {saved:.3f} of {true.cost[full].mean():.3f} | {loss:+.4f} |")
    return "\n".join(lines) + "\n"


def _named(text: str) -> tuple[str, str]:
    """`NAME=CMD` or `CMD`: the name in the table, and the command."""
    name, _, command = text.rpartition("=")
    return f"**Penstock, {name}**" if name else "**Penstock**", command


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/trials", description=__doc__)
    parser.add_argument("--datasets", default="wine,breast_cancer,diabetes,digits")
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replays", type=int, default=100)
    parser.add_argument("--margin", type=float, default=0.0, help="of quality; 0: 0.01, for regression 0.02")
    parser.add_argument(
        "--ours", default=[], action="append", metavar="[NAME=]CMD", help="a program that reads grids, see README.md"
    )
    parser.add_argument("--keep", action="store_true", help="write the grids to bench/trials/grids too")
    parser.add_argument("--only-ours", action="store_true")
    parser.add_argument("--wider", type=int, default=0, help="stages of four levels to make up, see wider.py")
    parser.add_argument("--cache", default=str(datasets.ROOT / "var" / "bench-trials"))
    parser.add_argument("--grid-only", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
