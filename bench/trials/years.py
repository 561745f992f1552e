"""Years drawn from measured folds: on every night the score of the arm in force, and what pairs with the control would show."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pairs import Measured

Array = npt.NDArray[np.float64]
NIGHTS = 365
BLOCKS = 20
"""Paired blocks that one night has room for."""


@dataclass(frozen=True)
class Course:
    """The data of a year: `before` up to the night `change` (counted from 1), `after` from it on; `name` goes into the seed."""

    name: str
    before: Measured
    after: Measured
    arm: int
    margin: float
    change: int = NIGHTS + 1


def year(course: Course, number: int) -> str:
    """One line, as README.md has it; the same number, the same year."""
    random = np.random.default_rng([number, *course.name.encode()])
    changed = np.arange(1, NIGHTS + 1) >= course.change

    def nights(count: int) -> Array:
        """`count` draws a night: nights x count x (control, arm) x folds."""
        both = [_drawn(data, course.arm, NIGHTS * count, random) for data in (course.before, course.after)]
        shape = (NIGHTS, count, *both[0].shape[1:])
        return np.where(changed[:, None, None, None], both[1].reshape(shape), both[0].reshape(shape))

    own, paired, blocks = nights(1), nights(1), nights(BLOCKS)
    body = {
        "format": "penstock-nights/1",
        "name": course.name,
        "year": number,
        "margin": course.margin,
        "scores": _rounded(own[:, 0, 1, 0]),
        "folds": _rounded(paired[:, 0, 1, 0] - paired[:, 0, 0, 0]),
        "blocks": _rounded((blocks[:, :, 1] - blocks[:, :, 0]).mean(axis=2)),
    }
    return json.dumps(body, allow_nan=False)


def _drawn(data: Measured, arm: int, count: int, random: np.random.Generator) -> Array:
    """Blocks by the smoothed bootstrap of `replay`, of the control and the arm, their folds in any order."""
    quality = data.quality[[0, arm]]
    have, folds = quality.shape[1:]
    middle = quality.mean(axis=(1, 2))[:, None, None]
    i, j = random.integers(have, size=(2, count))
    k = (j + random.integers(1, have, size=count)) % have
    noise = (quality[:, i] - middle) * np.sqrt(0.75) + 0.5 * (quality[:, j] - quality[:, k]) / np.sqrt(2)
    drawn = np.moveaxis(middle + np.sqrt(have / (have - 1)) * noise, 0, 1)
    turn = random.permuted(np.tile(np.arange(folds), (count, 1)), axis=1)
    return np.take_along_axis(drawn, turn[:, None, :], axis=2)


def _rounded(numbers: Array) -> list[float]:
    found: list[float] = np.round(numbers, 6).tolist()
    return found
