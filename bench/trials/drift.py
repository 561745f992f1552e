"""`bench/trials/drift.py`: years with an arm in force, and how the watch takes it when the data of a night on are spoilt.

Two arms are measured on the clean data set and on a spoilt one; years are drawn from both and given to the shipping watch.
"""

from __future__ import annotations

import argparse
import sys
from itertools import product
from pathlib import Path

import numpy as np

import datasets
from levels import AUTO, Arm
from ours import Program
from pairs import Measured, measure
from watched import Case, Watched, quantiles
from years import NIGHTS

CONTROL: Arm = ("coarse",) * len(AUTO)
ARMS = (
    "clean=off",
    "train=fine",
    "clean=fine features=off select=off",
    "features=off select=off train=medium",
    "features=off select=off train=fine",
    "clean=fine features=off select=off train=fine",
    "clean=off features=off select=fine train=fine",
)


def main() -> int:
    """Measures, draws, asks the watch and prints; returns the exit code."""
    asked = _arguments()
    arms = [CONTROL, *(_arm(text) for text in asked.arms.split(";"))]
    cache = Path(asked.cache)
    found: list[Case] = []
    with Program(asked.ours) as program:
        for name, spoilt in product(asked.datasets.split(","), asked.spoilt.split(",")):
            clean = measure(datasets.named(name), arms, asked.blocks, cache)
            dirty = measure(datasets.named(name + spoilt), arms, asked.blocks, cache)
            margin = asked.margin or clean.data.margin
            print(heading(clean, dirty, margin))
            for arm in range(1, len(arms)):
                case = Case.of(clean, dirty, arm, margin, asked.years, program)
                print(row(case), flush=True)
                found.append(case)
            print(flush=True)
    print(summary(found))
    return 0


def heading(clean: Measured, spoilt: Measured, margin: float) -> str:
    """The name of the table, what the drop does to both arms, and its columns."""
    fall = (clean.quality[0].mean() - spoilt.quality[0].mean()) / margin
    return (
        f"**{clean.data.name} to {spoilt.data.name}**, margin {margin:g}; coarse itself falls by {fall:.1f} margins\n\n"
        "| arm in force | loss before | after | demoted, nights until then (90 %) | bad nights | "
        "false demotions a stationary year | fits a year |\n|---|---|---|---|---|---|---|"
    )


def row(case: Case) -> str:
    """One arm: years with a change on a random night, and years without."""
    start = f"| {case.arm} | {case.before:+.2f} | {case.after:+.2f} | "
    if case.before > 1:
        return start + "not to be in force: it loses more than the margin before | | | |"
    if case.after <= 1:
        text = f"no reason to: {_demoted(case.moved)} | |"
    else:
        text = f"{quantiles(case.delays)} | {case.bad_nights:.1f} |"
    wrong = sum(one.is_demoted for one in case.still)
    fits = float(np.mean([one.fits for one in case.still]))
    return (
        start + text + f" {wrong / len(case.still):.2f} ({_demoted(case.still)}) | {fits:.0f} ({fits / NIGHTS:.0%}) |"
    )


def summary(cases: list[Case]) -> str:
    """All data sets together."""
    fit = [case for case in cases if case.before <= 1]
    still = [one for case in fit for one in case.still]
    common = [one for case in fit if case.after <= 1 for one in case.moved]
    fits = np.mean([one.fits for one in still]) / NIGHTS
    lines = [
        f"stationary years: {_demoted(still)} demoted, the watch takes {fits:.1%} of the fits of a production run a night",
        f"a change that leaves the arm within the margin: {_demoted(common)} demoted",
    ]
    for low, high in ((1.0, 1.5), (1.5, 4.0), (4.0, np.inf)):
        some = [case for case in fit if low < case.after <= high]
        delays = [delay for case in some for delay in case.delays]
        lines.append(
            f"it comes to lose {low:g} to {high:g} margins ({len(some)} arms), demoted: {quantiles(delays)} nights"
        )
    return "\n".join(lines)


def _demoted(years: list[Watched]) -> str:
    return f"{sum(one.is_demoted for one in years)} of {len(years)}"


def _arm(text: str) -> Arm:
    levels = dict(word.split("=") for word in text.split())
    if unknown := set(levels) - set(AUTO):
        raise SystemExit(f"no stage `{unknown.pop()}`; there are {', '.join(AUTO)}")
    return tuple(levels.get(stage, "coarse") for stage in AUTO)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/trials/drift.py", description=__doc__)
    parser.add_argument("--datasets", default="breast_cancer,wine,diabetes")
    parser.add_argument("--spoilt", default=",".join(datasets.SPOILT), help="what becomes of them, by suffix")
    parser.add_argument("--arms", default=";".join(ARMS), help="in force")
    parser.add_argument("--blocks", type=int, default=10)
    parser.add_argument("--years", type=int, default=100)
    parser.add_argument("--margin", type=float, default=0.0, help="of quality; 0: 0.01, for regression 0.02")
    parser.add_argument("--ours", default=".build/release/watch-replay", metavar="CMD", help="see README.md")
    parser.add_argument("--cache", default=str(datasets.ROOT / "var" / "bench-trials"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
