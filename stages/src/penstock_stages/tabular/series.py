"""Features of price series, and the label: whether the price is higher `horizon` bars on."""

from __future__ import annotations

import polars as pl

from penstock_stages.contract import Refusal, log
from penstock_stages.table import GAP, KEY, LINE, PART, TEST, TRAIN, user_columns
from penstock_stages.tabular import indicators
from penstock_stages.tabular.roles import Roles, plain

LABEL = "direction"


def make(table: pl.DataFrame, roles: Roles, lags: int, horizon: int, lags_only: bool) -> tuple[pl.DataFrame, list[str]]:
    """The table of features and the label, in the order of time, and the names of the features.

    Rows without a full past or a known future are left out; training rows whose label reaches into the held-out time
    become `gap`. Raises: `Refusal` when too few bars are left.
    """
    table = table.filter(pl.col(roles.time).is_not_null() & (pl.col(roles.price) > 0))
    keys = [roles.series, roles.time] if roles.series else [roles.time]
    table = table.sort(keys, maintain_order=True)
    once = table.unique(keys, keep="last", maintain_order=True)
    if once.height < table.height:
        log(f"{table.height - once.height} bars have a time that another bar has too; the last one counts")
    table = once
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
    own = [name for name in (LINE, KEY, PART) if name in table.columns]
    shown = [name for name in (roles.time, roles.series, roles.price) if name]
    bars = table.height
    result = table.with_columns(*made, ends).select(*own, *shown, *names, LABEL, "_label_time")
    if not lags_only:
        weekday = pl.col(roles.time).dt.weekday().cast(pl.Float64).alias("weekday")
        month = pl.col(roles.time).dt.month().cast(pl.Float64).alias("month")
        calendar = [c for c in (weekday, month) if result.select(c.n_unique()).item() > 1]
        result = result.with_columns(calendar)
        names += [c.meta.output_name() for c in calendar]
    result = result.filter(pl.all_horizontal(pl.col(names).is_finite()) & pl.col(LABEL).is_not_null())
    if result.height < 20:
        raise Refusal(f"{bars} bars leave {result.height} with a full past and a known future; at least 20 are needed")
    result = _purge(result, roles.time).drop("_label_time")
    order = [roles.time, roles.series] if roles.series else [roles.time]
    result = result.sort(order, maintain_order=True)
    return result.select(*own, *shown, *names, LABEL), names


def _purge(table: pl.DataFrame, time: str) -> pl.DataFrame:
    if PART not in table.columns:
        return table
    border = table.filter(pl.col(PART) == TEST)[time].min()
    if border is None:
        return table
    reaches = (pl.col(PART) == TRAIN) & (pl.col("_label_time") >= border)
    return table.with_columns(pl.when(reaches).then(pl.lit(GAP)).otherwise(pl.col(PART)).alias(PART))
