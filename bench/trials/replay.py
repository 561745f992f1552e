"""Worlds drawn from a grid: blocks by a smoothed bootstrap, all arms together, so that their pairing survives.

A block of a world is m + f·((x_i − m)·√¾ + ½·(x_j − x_k)/√2) for three blocks of the grid, f = √(n / (n − 1)): the mean and the
covariance of the grid's blocks, but no two alike. Costs are those of block i.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from grid import Grid

Array = npt.NDArray[np.float64]
SCREEN = 2
BLOCKS = 60
ALPHA = 0.05


@dataclass(frozen=True)
class World:
    """`quality` and `cost`: arms x blocks x folds; the first `SCREEN` blocks are for screening alone."""

    grid: Grid
    quality: Array
    cost: Array
    margin: float
    number: int

    def seed(self) -> int:
        """For what a method draws itself."""
        return 1_000 + self.number

    def to_json(self) -> str:
        """One line, as README.md has it."""
        stages = [{"name": name, "levels": found} for name, found in self.grid.stages().items()]
        body: dict[str, Any] = {
            "format": "penstock-grid/1",
            "name": self.grid.data.name,
            "world": self.number,
            "task": self.grid.data.task,
            "metric": self.grid.data.metric,
            "margin": self.margin,
            "alpha": ALPHA,
            "seed": self.seed(),
            "stages": stages,
            "arms": [list(arm) for arm in self.grid.arms],
            "folds": self.quality.shape[2],
            "screen": SCREEN,
            "quality": _rounded(self.quality),
            "cost": _rounded(self.cost),
            "rows": _rounded(self.grid.rows),
        }
        return json.dumps(body, allow_nan=False)


@dataclass(frozen=True)
class Truth:
    """What the grid says in the mean: by arm the loss against coarse, and the cost of a fold."""

    loss: Array
    cost: Array
    margin: float

    @property
    def oracle(self) -> int:
        """The half-oracle: the cheapest arm whose loss is at most half the margin."""
        good = np.flatnonzero(self.loss <= self.margin / 2)
        return int(good[np.argmin(self.cost[good])])

    def wrong(self, arm: int) -> bool:
        """Whether the arm loses more than the margin."""
        return bool(self.loss[arm] > self.margin)

    def speed(self, arm: int) -> float:
        """How many times cheaper than coarse."""
        return float(self.cost[0] / self.cost[arm])

    def regret(self, arm: int) -> float:
        """The share of the half-oracle's saving that the arm misses; 1 where it is wrong."""
        if self.wrong(arm):
            return 1.0
        most = 1 - self.cost[self.oracle] / self.cost[0]
        return float(np.clip(1 - (1 - self.cost[arm] / self.cost[0]) / most, 0, 1)) if most > 0 else 0.0


def truth(grid: Grid, margin: float) -> Truth:
    """The truth of a grid; an arm that failed somewhere counts as the worst there was."""
    quality = filled(grid.quality)
    return Truth((quality[0] - quality).mean(axis=(1, 2)), grid.cost.mean(axis=(1, 2)), margin)


def world(grid: Grid, margin: float, number: int) -> World:
    """The world with this number; the same number, the same world."""
    random = np.random.default_rng([number, *grid.data.name.encode()])
    quality = filled(grid.quality)
    count, folds = quality.shape[1], quality.shape[2]
    middle = quality.mean(axis=(1, 2))[:, None]
    spread = np.sqrt(count / (count - 1))
    drawn, cost = [], []
    for _ in range(SCREEN + BLOCKS):
        i = int(random.integers(count))
        j, k = random.choice(count, 2, replace=False)
        turn = random.permutation(folds)
        noise = (quality[:, i] - middle) * np.sqrt(0.75) + 0.5 * (quality[:, j] - quality[:, k]) / np.sqrt(2)
        drawn.append((middle + spread * noise)[:, turn])
        cost.append(grid.cost[:, i][:, turn])
    return World(grid, np.stack(drawn, axis=1), np.stack(cost, axis=1), margin, number)


def filled(quality: Array) -> Array:
    """What failed counts as the worst there was."""
    return np.where(np.isfinite(quality), quality, np.nanmin(quality))


def _rounded(numbers: Array) -> Any:
    found = np.round(numbers, 6).astype(object)
    found[~np.isfinite(numbers)] = None
    return found.tolist()
