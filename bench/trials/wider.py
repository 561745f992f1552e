"""A grid with more stages than the chain has, made up from what the real ones do.

A stage that is made up does to quality what a real one does: its levels change every fold of every arm by what the levels of that
stage change another fold of the grid, in the mean over all arms, with the mean that is true and the noise that
comes with it. Of the cost it adds what a level of the real stage costs more than the cheapest.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt

from grid import Grid
from levels import ORDER, levels
from replay import filled

Array = npt.NDArray[np.float64]


def widen(grid: Grid, count: int) -> Grid:
    """The grid with `count` stages more, each of four levels, resampled from stages that have four."""
    random = np.random.default_rng([count, *grid.data.name.encode()])
    for number in range(count):
        four = [name for name, found in levels(grid.data.task).items() if len(found) == len(ORDER)]
        grid = _wider(grid, str(random.choice(four)), f"more{number + 1}", random)
    return grid


def _wider(grid: Grid, like: str, name: str, random: np.random.Generator) -> Grid:
    place = list(grid.stages()).index(like)
    quality = filled(grid.quality)
    blocks = random.permutation(quality.shape[1])
    rows = random.permutation(grid.rows.shape[1])
    changes, costs, scores = [], [], []
    for level in ORDER:
        having = [arm[place] == level for arm in grid.arms]
        changes.append((quality[having].mean(axis=0))[blocks])
        costs.append(grid.cost[having].mean(axis=0)[blocks])
        scores.append(np.nanmean(grid.rows[having], axis=0)[rows])
    change, score = np.array(changes) - changes[0], np.array(scores) - scores[0]
    cost = np.array(costs) - np.min(np.array(costs), axis=0)
    wide = [(*arm, level) for arm, level in product(grid.arms, ORDER)]
    return replace(
        grid,
        arms=wide,
        quality=_added(quality, change),
        cost=_added(grid.cost, cost),
        rows=_added(grid.rows, score),
        more=(*grid.more, name),
    )


def _added(old: Array, change: Array) -> Array:
    return np.asarray((old[:, None] + change[None]).reshape(len(old) * len(change), *old.shape[1:]))
