"""Features of price series, and the label: whether the price is higher `horizon` bars on."""

from __future__ import annotations

import polars as pl

from penstock_stages.contract import Refusal, log
from penstock_stages.table import FOLD, GAP, OWN, PART, TEST, TRAIN, user_columns
from penstock_stages.tabular import folding, indicators
from penstock_stages.tabular.roles import Roles, plain
from penstock_stages.trials import Trial

LABEL = "direction"


def make(
    table: pl.DataFrame, roles: Roles, lags: int, horizon: int, lags_only: bool, trial: Trial | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """The table of features and the label, in the order of time, and the names of the features.

    Rows without a full past or a known future are left out; training rows whose label reaches into the held-out time
    become `gap`. Whether a bar stays hangs on its place, its time and its price as it came, on no level: a feature that
    cannot be told for want of other columns is missing. Raises: `Refusal` when too few bars are left.
    """
    table = _bars(table, roles)
    keys = [roles.series, roles.time] if roles.series else [roles.time]
    table = table.sort(keys, maintain_order=True)
    once = table.unique(keys, keep="last", maintain_order=True)
    if once.height < table.height:
        log(f"{table.height - once.height} bars have a time that another bar has too; the last one counts")
    warm = max(lags, indicators.LONGEST)
    table = folding.marked(once, roles, trial, horizon, warm)
    named = {plain(name): name for name in user_columns(table)}
    made = indicators.lagged_returns(roles.price, lags)
    if not lags_only:
        made += indicators.technical(roles.price, named.get("high"), named.get("low"))
    made.append(indicators.up_next(roles.price, horizon).alias(LABEL))
    ends = pl.col(roles.time).shift(-horizon).alias("_label_time")
    if roles.series:
        made = [column.over(roles.series) for column in made]
        ends = ends.over(roles.series)
    names = [column.meta.output_name() for column in made[:-1]]
    place = pl.int_range(pl.len()).alias("_place")
    made.append(place.over(roles.series) if roles.series else place)
    own = [name for name in OWN if name in table.columns]
    shown = [name for name in (roles.time, roles.series, roles.price) if name]
    bars = table.height
    result = table.with_columns(*made, ends).select(*own, *shown, *names, LABEL, "_label_time", "_place")
    if not lags_only:
        weekday = pl.col(roles.time).dt.weekday().cast(pl.Float64).alias("weekday")
        month = pl.col(roles.time).dt.month().cast(pl.Float64).alias("month")
        calendar = [c for c in (weekday, month) if result.select(c.n_unique()).item() > 1]
        result = result.with_columns(calendar)
        names += [c.meta.output_name() for c in calendar]
    known = pl.all_horizontal(pl.col(names).is_finite().fill_null(value=False))
    result = result.filter((known | (pl.col("_place") >= warm)) & pl.col(LABEL).is_not_null())
    if result.height < 20:
        raise Refusal(f"{bars} bars leave {result.height} with a full past and a known future; at least 20 are needed")
    result = _purge(result, roles.time)
    order = [roles.time, roles.series] if roles.series else [roles.time]
    result = result.sort(order, maintain_order=True)
    return result.select(*own, *shown, *names, LABEL), names


def _bars(table: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    """The rows that are bars: with a time and a price, not one that was filled in since the table was checked."""
    real = pl.col(roles.time).is_not_null() & (pl.col(roles.price) > 0)
    if PART in table.columns and FOLD not in table.columns:
        real = real & (pl.col(PART) != GAP)
    bars = table.filter(real)
    if bars.height < table.height:
        log(f"{table.height - bars.height} rows have no time or no price, and are left out")
    return bars


def _purge(table: pl.DataFrame, time: str) -> pl.DataFrame:
    if PART not in table.columns:
        return table
    border = table.filter(pl.col(PART) == TEST)[time].min()
    if border is None:
        return table
    reaches = (pl.col(PART) == TRAIN) & (pl.col("_label_time") >= border)
    return table.with_columns(pl.when(reaches).then(pl.lit(GAP)).otherwise(pl.col(PART)).alias(PART))
