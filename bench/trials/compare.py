"""Methods side by side: each looks at the same worlds of a grid."""

from __future__ import annotations

import contextlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import replay
from grid import Grid
from methods import METHODS, Method
from ours import Ours
from score import Score, score


@dataclass(frozen=True)
class Methods:
    """What is compared: the programs `ours` by their names in the table, and the rivals where they are wanted."""

    ours: dict[str, str]
    rivals: bool


def compare(made: Grid, margin: float, replays: int, jobs: int, methods: Methods) -> dict[str, list[Score]]:
    """By method the scores over the same worlds, `jobs` worlds at a time."""
    shares = [list(range(replays))[first::jobs] for first in range(jobs)]
    scores: dict[str, list[Score]] = {}
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for found in pool.map(partial(_share, made, margin, methods), shares):
            for name, some in found.items():
                scores.setdefault(name, []).extend(some)
    return scores


def _share(made: Grid, margin: float, chosen: Methods, worlds: list[int]) -> dict[str, list[Score]]:
    true = replay.truth(made, margin)
    scores: dict[str, list[Score]] = {}
    with contextlib.ExitStack() as stack:
        methods: dict[str, Method] = dict(METHODS) if chosen.rivals else {}
        for name, command in chosen.ours.items():
            methods[name] = stack.enter_context(Ours(command))
        for number in worlds:
            world = replay.world(made, margin, number)
            for name, method in methods.items():
                scores.setdefault(name, []).append(score(method(world), true, made.quality.shape[2]))
    return scores
