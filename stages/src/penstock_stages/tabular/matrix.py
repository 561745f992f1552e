"""From a table to what an algorithm takes: the candidate columns, the target as codes, the split into parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from penstock_stages import sampling
from penstock_stages.contract import Refusal, log
from penstock_stages.table import PART, TEST, TRAIN, numeric_columns, user_columns
from penstock_stages.tabular.roles import Roles, listed

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
HELD_OUT = 0.2


@dataclass(frozen=True)
class Parts:
    """Row numbers: to learn from, to judge by; and how the two were told apart."""

    train: Rows
    test: Rows
    how: str


def candidates(table: pl.DataFrame, roles: Roles) -> list[str]:
    """The numeric columns that may be learned from. Raises: `Refusal` when there are none."""
    reserved = (roles.target, roles.time, roles.price, roles.series, roles.group)
    if roles.task == "direction" and not roles.target:
        raise Refusal(
            "direction needs features made of the price: the label is made there, so `features` cannot be off"
        )
    names = [n for n in numeric_columns(table, without=reserved) if table[n].null_count() < table.height]
    ignored = [n for n in user_columns(table) if n not in names and n not in reserved]
    if ignored:
        log(f"not learned from, not numbers: {listed(ignored)} (the stage `features` makes numbers of text and times)")
    if not names:
        raise Refusal(f"no numeric column is left to learn from beside the target `{roles.target}`")
    return names


def values(table: pl.DataFrame, names: list[str]) -> Array:
    """The columns as floats, rows x columns; missing and infinite cells are NaN."""
    matrix = table.select(pl.col(names).cast(pl.Float64)).to_numpy()
    return np.where(np.isfinite(matrix), matrix, np.nan)


def class_names(target: pl.Series) -> pl.Series:
    """The classes as text, whole numbers without a point."""
    if target.dtype.is_float() and bool((target.drop_nulls() == target.drop_nulls().round()).all()):
        target = target.cast(pl.Int64)
    return target.cast(pl.String)


def class_codes(target: pl.Series, train: Rows) -> tuple[list[str], Rows]:
    """The classes of the training rows in order, and each row's place among them (-1: not seen in training)."""
    names = class_names(target)
    seen = names[train].drop_nulls().unique().to_list()
    numbers = all(_is_number(name) for name in seen)
    classes = sorted(seen, key=float) if numbers else sorted(seen)
    codes = names.replace_strict({name: i for i, name in enumerate(classes)}, default=-1, return_dtype=pl.Int64)
    return classes, codes.fill_null(-1).to_numpy()


def split(table: pl.DataFrame, roles: Roles, seed: int, horizon: int) -> Parts:
    """The parts as `validate` marked them; without marks, a split by the same rules made here."""
    labelled = table[roles.target].is_not_null().to_numpy()
    if PART in table.columns:
        part = table[PART]
        train = np.flatnonzero((part == TRAIN).to_numpy() & labelled)
        test = np.flatnonzero((part == TEST).to_numpy() & labelled)
        how = "marked by validate"
    else:
        log("the table has no split (tabular/validate makes it): one is made here")
        rows = np.flatnonzero(labelled)
        known = table[rows]
        if roles.task == "direction":
            order = np.argsort(known[roles.time].to_numpy(), kind="stable")
            border = int(len(rows) * (1 - HELD_OUT))
            train, test = rows[order[: max(0, border - horizon)]], rows[order[border:]]
        elif roles.group:
            held = sampling.by_group(known, roles.group, HELD_OUT, seed)
            train, test = rows[~held], rows[held]
        elif roles.task == "classification":
            held = sampling.stratified(known, known[roles.target], HELD_OUT, seed, floor=0, least=0)
            train, test = rows[~held], rows[held]
        else:
            held = sampling.by_hash(known, HELD_OUT, seed, floor=0)
            train, test = rows[~held], rows[held]
        how = "made by train"
    if len(train) < 10 or len(test) < 2:
        raise Refusal(f"{len(train)} rows to learn from and {len(test)} to judge by are too few")
    return Parts(train, test, how)


def sampled(table: pl.DataFrame, roles: Roles, train: Rows, fraction: float, seed: int) -> Rows:
    """The training rows that `medium` uses: classes keep their shares; of a series, the latest bars."""
    if fraction >= 1:
        return train
    known = table[train]
    if roles.task == "direction":
        mask = sampling.recent(known[roles.time].rank("ordinal").to_numpy().astype(np.int64), fraction)
    elif roles.task == "classification":
        mask = sampling.stratified(known, known[roles.target], fraction, seed)
    else:
        mask = sampling.by_hash(known, fraction, seed)
    return train[mask]


def in_time(table: pl.DataFrame, roles: Roles, rows: Rows) -> Rows:
    """`rows` in the order of time where there is one, else as they are."""
    if roles.task != "direction" or not roles.time:
        return rows
    return rows[np.argsort(table[roles.time].to_numpy()[rows], kind="stable")]


def folds(table: pl.DataFrame, roles: Roles, rows: Rows, seed: int, count: int, gap: int) -> list[tuple[Rows, Rows]]:
    """Pairs (to learn from, to judge by) inside `rows`, for choosing; later bars are never used for earlier ones.

    Independent rows: `count` folds by the hash of the record (or of its group); 1 means one fifth is held out. Series: the last fifth,
    with a gap of `gap` times before it.
    """
    if roles.task == "direction":
        times = table[roles.time].to_numpy()
        distinct = np.unique(times[rows])
        at = int(len(distinct) * 0.8)
        before, after = distinct[max(0, at - gap - 1)], distinct[at]
        return [(rows[times[rows] <= before], rows[times[rows] >= after])]
    known = table[rows]
    keys = sampling.group_keys(known, roles.group) if roles.group else sampling.record_keys(known)
    number = sampling.numbers(keys, seed + 1)
    if count == 1:
        return [(rows[number >= HELD_OUT], rows[number < HELD_OUT])]
    fold = np.minimum((number * count).astype(int), count - 1)
    return [(rows[fold != k], rows[fold == k]) for k in range(count)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
