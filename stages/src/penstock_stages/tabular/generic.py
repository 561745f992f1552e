"""Features of any table: calendar parts of times, numbers for text, products of numbers that matter."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl

from penstock_stages.contract import log
from penstock_stages.table import numeric_columns, user_columns
from penstock_stages.tabular.scores import f_scores

FOLDS = 5
SMOOTHING = 20.0
OTHER = "(other)"


def calendar(table: pl.DataFrame, own: tuple[str, ...]) -> tuple[pl.DataFrame, int]:
    """Times become year, month, weekday, hour and days since the first; parts that never vary are left out.

    The columns in `own`, target and group, stay as they are.
    """
    made = 0
    for name in [n for n in user_columns(table) if table[n].dtype.is_temporal() and n not in own]:
        column = table[name].cast(pl.Datetime("us"), strict=False)
        parts = {
            "year": column.dt.year(),
            "month": column.dt.month(),
            "weekday": column.dt.weekday(),
            "hour": column.dt.hour(),
            "days": (column - column.min()).dt.total_days(),
        }
        new = [p.cast(pl.Float64).alias(f"{name} {part}") for part, p in parts.items() if p.n_unique() > 1]
        table = table.drop(name).with_columns(new)
        made += len(new)
    return table, made


def encode(
    table: pl.DataFrame, fit: pl.Series, own: tuple[str, ...], classes: bool, most: int, simple: bool, seed: int
) -> tuple[pl.DataFrame, int]:
    """Text becomes numbers, learned from the rows marked in `fit`; `own` is the target and what else stays text.

    Few values (up to `most`): one column of 0 and 1 each. Many: how often the value occurs and, unless `simple`, the
    mean of the target for it (folded, so that no row sees its own). Text that is never twice the same is dropped.
    """
    made = 0
    for name in [n for n in user_columns(table) if table[n].dtype == pl.String and n not in own]:
        column = table[name].fill_null("(missing)")
        known = column.filter(fit)
        distinct = known.n_unique()
        if distinct < 2 or (distinct > 20 and distinct >= 0.95 * known.len()):
            log(f"dropped `{name}`: {'one value only' if distinct < 2 else 'a name of its own in nearly every row'}")
            table = table.drop(name)
            continue
        if simple or distinct > most:
            new = [_frequency(column, known)]
            if not simple:
                new += _target_means(table, column, fit, own[0], classes, seed)
        else:
            values = known.unique().sort().to_list()
            values = values[1:] if len(values) == 2 else values
            new = [(column == value).cast(pl.Float64).alias(f"{name} = {value}") for value in values]
        table = table.drop(name).with_columns(_fresh(table, new))
        made += len(new)
    return table, made


def interactions(
    table: pl.DataFrame, fit: pl.Series, own: tuple[str, ...], classes: bool, pairs: int
) -> tuple[pl.DataFrame, int]:
    """Products and ratios of the numbers that say most about the target: `pairs` pairs of them."""
    names = [n for n in numeric_columns(table, without=own) if table[n].n_unique() > 2]
    if pairs == 0 or len(names) < 2:
        return table, 0
    target = own[0]
    known = table.filter(fit & table[target].is_not_null())
    values = known.select(pl.col(names).cast(pl.Float64)).to_numpy()
    wanted = known[target].cast(pl.String).to_numpy() if classes else known[target].to_numpy()
    best = np.argsort(-f_scores(values, wanted, classes), kind="stable")[: pairs + 1]
    new = []
    for a, b in list(combinations([names[i] for i in best], 2))[:pairs]:
        left, right = pl.col(a).cast(pl.Float64), pl.col(b).cast(pl.Float64)
        new.append((left * right).alias(f"{a} x {b}"))
        new.append(pl.when(right.abs() > 1e-9).then(left / right).otherwise(0.0).alias(f"{a} / {b}"))
    return table.with_columns(new), len(new)


def _fresh(table: pl.DataFrame, new: list[pl.Series]) -> list[pl.Series]:
    return [s if s.name not in table.columns else s.alias(f"{s.name} (made)") for s in new]


def _frequency(column: pl.Series, known: pl.Series) -> pl.Series:
    counts = known.value_counts(name="n")
    shares = dict(zip(counts[known.name].to_list(), (counts["n"] / known.len()).to_list(), strict=True))
    return column.replace_strict(shares, default=0.0, return_dtype=pl.Float64).alias(f"{column.name} frequency")


def _target_means(
    table: pl.DataFrame, column: pl.Series, fit: pl.Series, target: str, classes: bool, seed: int
) -> list[pl.Series]:
    """Smoothed means of the target (of each class but the first, up to 3), out of fold for the rows in `fit`."""
    wanted = table[target]
    if classes:
        values = wanted.drop_nulls().cast(pl.String).value_counts(sort=True)[target].to_list()
        kinds = sorted(values[1:4] if len(values) > 2 else sorted(values)[1:])
        goals = [(kind, (wanted.cast(pl.String) == kind).cast(pl.Float64)) for kind in kinds]
    else:
        goals = [("mean", wanted.cast(pl.Float64))]
    usable = (fit & wanted.is_not_null()).to_numpy()
    fold = np.random.default_rng(seed).integers(0, FOLDS, table.height)
    found = []
    for kind, goal in goals:
        result = np.empty(table.height)
        for held in range(FOLDS + 1):
            rows = usable & (fold != held)
            asked = usable & (fold == held) if held < FOLDS else ~usable
            result[asked] = _means(column, goal, rows).filter(pl.Series(asked)).to_numpy()
        found.append(pl.Series(f"{column.name} → {kind}", result))
    return found


def _means(column: pl.Series, goal: pl.Series, rows: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> pl.Series:
    frame = pl.DataFrame({"key": column, "goal": goal}).filter(pl.Series(rows))
    overall = float(frame["goal"].mean() or 0.0)  # type: ignore[arg-type]
    by_key = frame.group_by("key").agg(pl.col("goal").sum().alias("sum"), pl.len().alias("n"))
    smooth = (by_key["sum"] + SMOOTHING * overall) / (by_key["n"] + SMOOTHING)
    known = dict(zip(by_key["key"].to_list(), smooth.to_list(), strict=True))
    return column.replace_strict(known, default=overall, return_dtype=pl.Float64)
