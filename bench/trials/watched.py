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
        name = spoilt.data.name
        moved = [Course(name, clean, spoilt, arm, margin, int(night)) for night in nights]
        still = [Course(f"{name} to come", clean, clean, arm, margin) for _ in nights]
        return cls(words(clean.arms[arm]), before, after, _watched(moved, program), _watched(still, program))

    @property
    def delays(self) -> list[float]:
        """Nights from the change to the demotion, the first counted as one; infinite where there was none in the year."""
        late = [one for one in self.moved if one.demotion >= one.course.change]
        return [one.demotion - one.course.change + 1 if one.is_demoted else np.inf for one in late]

    @property
    def bad_nights(self) -> float:
        """Nights with the arm in force after the change, in the mean."""
        return float(np.mean([max(0, one.demotion - one.course.change) for one in self.moved]))


def quantiles(delays: list[float]) -> str:
    """How many are finite, of how many; the median, and in brackets what nine of ten stay below."""
    if not delays:
        return "–"
    middle, late = np.quantile(delays, [0.5, 0.9], method="higher")
    return f"{np.isfinite(delays).sum()} of {len(delays)}: {_nights(float(middle))} ({_nights(float(late))})"


def _nights(delay: float) -> str:
    return f"{delay:.0f}" if np.isfinite(delay) else "never"


def _watched(courses: list[Course], program: Program) -> list[Watched]:
    return [Watched(course, program.ask(year(course, number))) for number, course in enumerate(courses)]
