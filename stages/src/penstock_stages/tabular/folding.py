"""The folds of a trial: which rows are learned from and which are judged on, the same for every arm.

A fold depends on the records, the task and the split seed, never on a level: not on what was done to cells, nor on which
columns there are. Each labelled row is judged on once in a block. Of a series these are the bars of the last six tenths of
the times, in windows that follow each other (rolling origin, Tashman 2000): the seed draws where one window ends and the
next begins, and all that is known before a window is learned from.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt
import polars as pl

from penstock_stages import sampling
from penstock_stages.params import Misuse
from penstock_stages.table import FOLD, GAP, LINE, PART, TEST, TRAIN
from penstock_stages.tabular.roles import Roles
from penstock_stages.trials import Trial

Numbers = npt.NDArray[np.int64]
SALT = 0x70656E73746F636B
EARLIEST = 0.4
"""The share of the times that is only learned from: so all blocks judge on the same bars."""


def marked(table: pl.DataFrame, roles: Roles, trial: Trial | None, horizon: int = 1, warm: int = 0) -> pl.DataFrame:
    """`table` with `train`, `test` and `gap` as the trial has them; without a trial, as it is.

    A table that an earlier stage marked stays as it is. `warm` counts the first bars of each series (in the order of
    rows) that no level is judged on, for they have no full past; `horizon` is the gap in times before a window.
    Raises: `Misuse` for a table of another fold.
    """
    if trial is None:
        return table
    if FOLD in table.columns:
        if table.height and table[FOLD][0] != trial.name:
            raise Misuse(f"the table is of fold {table[FOLD][0]}, and the trial asks for {trial.name}")
        return table
    if LINE not in table.columns:
        table = table.with_row_index(LINE, offset=1)
    if roles.task == "direction":
        parts = _windows(table, roles, trial, horizon, warm)
    else:
        parts = np.full(table.height, GAP, dtype=object)
        rows = np.flatnonzero(table[roles.target].is_not_null().to_numpy())
        parts[rows] = np.where(fold_numbers(table[rows], roles, trial) == trial.fold, TEST, TRAIN)
    return table.with_columns(pl.Series(PART, parts, dtype=pl.String), pl.lit(trial.name).alias(FOLD))


def fold_numbers(table: pl.DataFrame, roles: Roles, trial: Trial) -> Numbers:
    """The fold in which each row of `table` is judged on, 0-based; equal records are in one fold.

    Classes are spread evenly over the folds, groups are kept whole and the folds near equal in rows.
    """
    if roles.group:
        return _of_groups(sampling.numbers(sampling.group_keys(table, roles.group), trial.seed ^ SALT), trial.folds)
    hashes = sampling.unit_hash(table, trial.seed ^ SALT)
    folds = np.zeros(table.height, dtype=np.int64)
    strata = [np.arange(table.height)]
    if roles.task == "classification":
        codes = table[roles.target].cast(pl.String).rank("dense").to_numpy()
        strata = [np.flatnonzero(codes == code) for code in np.unique(codes)]
    used = 0
    for rows in strata:
        distinct, place = np.unique(hashes[rows], return_inverse=True)
        folds[rows] = (place + used) % trial.folds
        used += len(distinct)
    return folds


def _of_groups(hashes: npt.NDArray[np.float64], folds: int) -> Numbers:
    """Whole groups, in the order of their hashes, each to the fold with the fewest rows so far."""
    _, place, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    filled = [(0, fold) for fold in range(folds)]
    home = np.zeros(len(counts), dtype=np.int64)
    for group, count in enumerate(counts):
        rows, fold = filled[0]
        home[group] = fold
        heapq.heapreplace(filled, (rows + int(count), fold))
    return home[place]


def _windows(table: pl.DataFrame, roles: Roles, trial: Trial, horizon: int, warm: int) -> npt.NDArray[np.object_]:
    times = table[roles.time].to_physical().fill_null(0).to_numpy()
    usable = table[roles.time].is_not_null().to_numpy()
    if PART in table.columns:
        usable = usable & (table[PART] != GAP).to_numpy()
    if roles.target and roles.target in table.columns:
        usable = usable & table[roles.target].is_not_null().to_numpy()
    distinct = np.unique(times[usable])
    begin, end = (_border(len(distinct), k, trial) for k in (trial.fold, trial.fold + 1))
    when = np.searchsorted(distinct, times)
    parts = np.full(table.height, GAP, dtype=object)
    parts[usable & (when < begin - horizon)] = TRAIN
    keys = [roles.series] if roles.series else []
    place = table.select((pl.int_range(pl.len()).over(keys) if keys else pl.int_range(pl.len())).alias("place"))
    old = (place["place"] >= warm).to_numpy()
    parts[usable & old & (when >= begin) & (when < end)] = TEST
    return parts


def _border(times: int, k: int, trial: Trial) -> int:
    """Where window `k` begins, as a place among so many times; those inside are moved by up to half a window."""
    inside = 0 < k < trial.folds
    drawn = np.random.default_rng([trial.seed & 0xFFFFFFFFFFFFFFFF, SALT]).random() - 0.5 if inside else 0.0
    return int(times * (EARLIEST + (1 - EARLIEST) * (k + float(drawn)) / trial.folds))
