"""`bench/trials/drift.py`: years with an arm in force, and how the watch takes it when the data of a night on are spoilt.

Two arms are measured on the clean data set and on a spoilt one; years are drawn from both and given to the shipping watch.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import datasets
from levels import AUTO, Arm, words
from ours import Program
from pairs import Measured, measure
from years import NIGHTS, Course, year

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
EARLIEST, LATEST = 60, 260


@dataclass(frozen=True)
class Watched:
    """What became of a year, and whether the arm was truly too bad before and after its change."""

    course: Course
    answer: Any

    @property
    def demotion(self) -> int:
        """The night, or that after the last."""
        return int(self.answer["demotion"] or NIGHTS + 1)

    @property
    def is_demoted(self) -> bool:
        """Within the year."""
        return self.demotion <= NIGHTS

    @property
    def fits(self) -> int:
        """Folds of both arms for the watch."""
        return 2 * int(self.answer["folds"]) + 10 * int(self.answer["blocks"])


def main() -> int:
    """Measures, draws, asks the watch and prints; returns the exit code."""
    asked = _arguments()
    arms = [CONTROL, *(_arm(text) for text in asked.arms.split(";"))]
    with Program(asked.ours) as program:
        for name, spoilt in product(asked.datasets.split(","), asked.spoilt.split(",")):
            clean = measure(datasets.named(name), arms, asked.blocks, Path(asked.cache))
            dirty = measure(datasets.named(name + spoilt), arms, asked.blocks, Path(asked.cache))
            margin = asked.margin or clean.data.margin
            print(heading(clean, dirty, margin))
            for arm in range(1, len(arms)):
                print(row(clean, dirty, arm, margin, asked.years, program), flush=True)
            print(flush=True)
    return 0


def heading(clean: Measured, spoilt: Measured, margin: float) -> str:
    """The name of the table, what the drop does to both arms, and its columns."""
    fall = (clean.quality[0].mean() - spoilt.quality[0].mean()) / margin
    return (
        f"**{clean.data.name} to {spoilt.data.name}**, margin {margin:g}; coarse itself falls by {fall:.1f} margins\n\n"
        "| arm in force | loss before | after | demoted, nights until then (90 %) | bad nights | "
        "false demotions a stationary year | fits a year |\n|---|---|---|---|---|---|---|"
    )


def row(clean: Measured, spoilt: Measured, arm: int, margin: float, years: int, program: Program) -> str:
    """One arm: years with a change on a random night, and years without."""
    before, after = clean.loss(arm) / margin, spoilt.loss(arm) / margin
    start = f"| {words(clean.arms[arm])} | {before:+.2f} | {after:+.2f} | "
    if before > 1:
        return start + "not to be in force: it loses more than the margin before | | | |"
    nights = np.random.default_rng(years).integers(EARLIEST, LATEST, size=years)
    moved = [_watched(Course(clean, spoilt, arm, margin, int(night)), i, program) for i, night in enumerate(nights)]
    still = [_watched(Course(clean, clean, arm, margin), i, program) for i in range(years)]
    if after <= 1:
        demoted = sum(one.is_demoted for one in moved)
        text = f"no reason to: {demoted} of {years} | |"
    else:
        late = [one for one in moved if one.is_demoted and one.demotion >= one.course.change]
        delays = [one.demotion - one.course.change + 1 for one in late]
        bad = np.mean([max(0, one.demotion - one.course.change) for one in moved])
        text = f"{len(late)} of {years}: {_quantiles(delays)} | {bad:.1f} |"
    wrong = sum(one.is_demoted for one in still)
    fits = np.mean([one.fits for one in still])
    return start + text + f" {wrong / years:.2f} ({wrong} of {years}) | {fits:.0f} ({fits / NIGHTS:.0%}) |"


def _watched(course: Course, number: int, program: Program) -> Watched:
    return Watched(course, program.ask(year(course, number)))


def _quantiles(delays: list[int]) -> str:
    return f"{np.median(delays):.0f} ({np.quantile(delays, 0.9):.0f})" if delays else "–"


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
