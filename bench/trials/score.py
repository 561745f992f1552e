"""The table: what each method spent, how often it erred, and how fast what it picked is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from methods import EXHAUSTIVE_BLOCKS, Pick
from replay import Truth


@dataclass(frozen=True)
class Score:
    """One pick against the truth: shares, but for `speed`, which is relative to the half-oracle's."""

    cost: float
    wrong: bool
    none: bool
    speed: float
    regret: float


def score(pick: Pick, truth: Truth, folds: int) -> Score:
    """How good the pick was."""
    whole = float(truth.cost.sum()) * EXHAUSTIVE_BLOCKS * folds
    return Score(
        cost=pick.cost / whole,
        wrong=truth.wrong(pick.arm),
        none=pick.arm == 0,
        speed=truth.speed(pick.arm) / truth.speed(truth.oracle),
        regret=truth.regret(pick.arm),
    )


def table(title: str, scores: Mapping[str, Sequence[Score]]) -> str:
    """Markdown."""
    lines = [
        title,
        "",
        "| method | cost, median (mean) | wrong | picked none | speed / half-oracle | regret |",
        "|---|---|---|---|---|---|",
    ]
    for name, found in scores.items():
        cost = [one.cost for one in found]
        speed = float(np.exp(np.mean([np.log(one.speed) for one in found])))
        wrong, none = sum(one.wrong for one in found), sum(one.none for one in found)
        lines.append(
            f"| {name} | {np.median(cost):.1%} ({np.mean(cost):.1%}) | {wrong} of {len(found)} | {none} "
            f"| {speed:.2f} | {np.mean([one.regret for one in found]):.3f} |"
        )
    return "\n".join(lines) + "\n"
