"""What became of years with an arm in force: with a change on a random night, and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from levels import words
from ours import Program
from pairs import Measured
from years import NIGHTS, Course, year

EARLIEST, LATEST = 60, 260


@dataclass(frozen=True)
class Watched:
    """A year, and what the watch made of it."""

    course: Course
    answer: Any

    @property
    def demotion(self) -> int:
        """The night, or that after the last."""
        return int(self.answer.get("demotion", NIGHTS + 1))

    @property
    def is_demoted(self) -> bool:
        """Within the year."""
        return self.demotion <= NIGHTS

    @property
    def fits(self) -> int:
        """Folds of both arms for the watch."""
        return 2 * int(self.answer["folds"]) + 10 * int(self.answer["blocks"])


@dataclass(frozen=True)
class Case:
    """An arm in force whose data change; losses in margins."""

    arm: str
    before: float
    after: float
    moved: list[Watched]
    still: list[Watched]

    @classmethod
    def of(cls, clean: Measured, spoilt: Measured, arm: int, margin: float, years: int, program: Program) -> Self:
        """Asks the watch; no years where the arm loses more than the margin to begin with."""
        before, after = clean.loss(arm) / margin, spoilt.loss(arm) / margin
        nights = np.random.default_rng(years).integers(EARLIEST, LATEST, size=years if before <= 1 else 0)
        moved = [Course(clean, spoilt, arm, margin, int(night)) for night in nights]
        still = [Course(clean, clean, arm, margin) for _ in nights]
        return cls(words(clean.arms[arm]), before, after, _watched(moved, program), _watched(still, program))

    @property
    def delays(self) -> list[int]:
        """Nights from the change to the demotion, the first counted as one, of years that were not demoted before."""
        late = [one for one in self.moved if one.is_demoted and one.demotion >= one.course.change]
        return [one.demotion - one.course.change + 1 for one in late]

    @property
    def bad_nights(self) -> float:
        """Nights with the arm in force after the change, in the mean."""
        return float(np.mean([max(0, one.demotion - one.course.change) for one in self.moved]))


def quantiles(delays: list[int]) -> str:
    """The median and, in brackets, what nine of ten stay below."""
    return f"{np.median(delays):.0f} ({np.quantile(delays, 0.9):.0f})" if delays else "–"


def _watched(courses: list[Course], program: Program) -> list[Watched]:
    return [Watched(course, program.ask(year(course, number))) for number, course in enumerate(courses)]
