"""A few arms on all folds of a data set, through the kit's own stages; kept fold by fold, so it goes on where it was."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datasets import DataSet, write
from fold import Chain
from grid import FOLDS, digest, seed_of
from levels import Arm, words
from replay import filled

Array = npt.NDArray[np.float64]
Kept = dict[str, tuple[float | None, float]]


@dataclass(frozen=True)
class Measured:
    """`quality` and `cost`: arms x blocks x folds; the first arm is the control. What failed counts as the worst."""

    data: DataSet
    arms: list[Arm]
    quality: Array
    cost: Array

    def loss(self, arm: int) -> float:
        """What the arm truly loses: the mean over all folds."""
        return float((self.quality[0] - self.quality[arm]).mean())


def measure(data: DataSet, arms: list[Arm], blocks: int, cache: Path) -> Measured:
    """The arms on so many blocks; what is in `cache` already is not worked again."""
    folder = cache / f"{data.name}-{digest(data)}"
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    drop = write(data, folder)
    work = Path(tempfile.mkdtemp(prefix="penstock-pairs-"))
    units = [(block, fold) for block in range(blocks) for fold in range(FOLDS)]
    began = time.monotonic()
    try:
        chain = Chain(drop, data.task, work, data.group, data.target)
        kept = [_unit(data, chain, arms, folder, unit) for unit in units]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if chain.worked:
        print(f"{data.name}: {chain.worked:.0f} CPU s, {time.monotonic() - began:.0f} s", file=sys.stderr)

    def shaped(place: int) -> Array:
        cells = [[fold[words(arm)][place] for fold in kept] for arm in arms]
        return np.array(cells, dtype=float).reshape(len(arms), blocks, FOLDS)

    quality = shaped(0)
    return Measured(data, arms, filled(quality), shaped(1))


def _unit(data: DataSet, chain: Chain, arms: list[Arm], folder: Path, unit: tuple[int, int]) -> Kept:
    block, fold = unit
    path = folder / "pairs" / f"b{block:02}f{fold}.json"
    kept: Kept = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    missing = [arm for arm in arms if words(arm) not in kept]
    if not missing:
        return kept
    trial = {"id": "bench", "arm": "", "block": block, "fold": fold, "folds": FOLDS, "seed": seed_of(data, block)}
    with contextlib.redirect_stderr(io.StringIO()):
        for arm in missing:
            before = chain.worked
            try:
                state = chain.arm(arm, trial)
                kept[words(arm)] = (float(state.reply.metrics[data.metric]), round(state.seconds, 6))
            except RuntimeError:
                kept[words(arm)] = (None, round(chain.worked - before, 6))
    chain.forget()
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(kept), encoding="utf-8")
    draft.replace(path)
    return kept
