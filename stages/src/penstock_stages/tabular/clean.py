"""Clean: missing values are filled and outliers drawn in; rows, their order and the target stay as they are.

What is filled in is learned from the training part only and applied to all rows, so that nothing of the held-out
part leaks into the model; the target is never looked at, so a trial computes this once for all its folds. Series are filled with the last value known at the time, never with a later one.
  coarse  each column estimated from the others (iterative imputation), outliers limited by the median deviation
  medium  the same, fitted on a sample of the training rows
  fine    the simplified algorithm: the median or the most common value, and limits at fixed quantiles
Output: `table`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl

from penstock_stages import contract, sampling
from penstock_stages.contract import Reply, Request, log
from penstock_stages.params import at_least, read_params
from penstock_stages.table import facts, numeric_columns, read_table, train_rows, user_columns, write_table
from penstock_stages.tabular.roles import Roles, Task, find_roles

MAD_TO_SIGMA = 1.4826
IMPUTE_ROUNDS = 5
NEAREST = 10


@dataclass(frozen=True)
class Params:
    """`outlier_limit`: median deviations (as sigmas) that are kept; `clip`: the quantile cut off by fine at each end."""

    task: Task = "auto"
    target: str = ""
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""
    outliers: bool = True
    outlier_limit: float = 8.0
    clip: float = 0.005


def clean(request: Request) -> Reply:
    """Fills and limits. Raises: `Refusal` when a column that was asked for is not there."""
    params = read_params(Params, request.params)
    at_least("clip", params.clip, 0, 0.2)
    at_least("outlier_limit", params.outlier_limit, 1)
    table = read_table(request.required("table"))
    roles = find_roles(table, params, request.context)
    missing_before = _missing(table, roles)
    fit = table.filter(_fit_rows(table, roles, request))
    limited = 0
    table = _without_infinities(table)
    fit = _without_infinities(fit)
    if roles.task == "direction":
        table = _carry_forward(table, roles)
    if params.outliers:
        untouched = (roles.target, roles.group, *_price_columns(table, roles))
        limits = _limits(fit, numeric_columns(fit, without=untouched), request.granularity, params)
        table, limited = _limit(table, limits)
        fit, _ = _limit(fit, limits)
    if roles.task != "direction":
        simple = request.granularity == "fine"
        table = _fill_simply(table, fit, roles) if simple else _impute(table, fit, roles, request.seed)
    filled = missing_before - _missing(table, roles)
    log(f"filled {filled} of {missing_before} missing cells, drew in {limited} outliers, fitted on {fit.height} rows")
    write_table(request, table)
    return Reply(
        outputs={"table": "table.parquet"},
        metrics={"filled": filled, "missing_left": missing_before - filled, "limited": limited, "fit_rows": fit.height},
        data=facts(request, table),
        context={**roles.to_context(), "tabular.level.clean": request.granularity},
    )


def _fit_rows(table: pl.DataFrame, roles: Roles, request: Request) -> pl.Series:
    rows = train_rows(table)
    if request.granularity != "medium":
        return rows
    places = np.flatnonzero(rows.to_numpy())
    train = table.filter(rows)
    if roles.task == "direction":
        kept = sampling.recent(train[roles.time].rank("ordinal").fill_null(0).to_numpy(), request.sample)
    else:
        kept = sampling.by_hash(train, request.sample, request.seed)
    mask = np.zeros(table.height, dtype=bool)
    mask[places[kept]] = True
    return pl.Series(mask)


def _missing(table: pl.DataFrame, roles: Roles) -> int:
    names = [name for name in user_columns(table) if name not in (roles.target, roles.group)]
    return int(sum(table[name].null_count() for name in names))


def _without_infinities(table: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name in user_columns(table) if table[name].dtype.is_float()]
    return table.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats)


def _price_columns(table: pl.DataFrame, roles: Roles) -> tuple[str, ...]:
    """Prices move in jumps that are real: nothing is cut from the columns of the price's own size."""
    if roles.task != "direction":
        return ()
    middle = table[roles.price].median()
    if not isinstance(middle, float | int) or not middle:
        return (roles.price,)
    others = numeric_columns(table)
    return tuple(n for n in others if 0.2 < abs(float(table[n].cast(pl.Float64).median() or 0) / middle) < 5)  # type: ignore[arg-type]


def _carry_forward(table: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    names = [name for name in numeric_columns(table) if name != roles.target]
    price = pl.when(pl.col(roles.price) > 0).then(pl.col(roles.price)).alias(roles.price)
    table = table.with_columns(price)
    filled = [pl.col(name).forward_fill() for name in names]
    if roles.series:
        filled = [column.over(roles.series, order_by=roles.time) for column in filled]
    else:
        filled = [column.over(pl.lit(1), order_by=roles.time) for column in filled]
    return table.with_columns(filled)


def _limits(fit: pl.DataFrame, names: list[str], level: str, params: Params) -> dict[str, tuple[float, float]]:
    """The lowest and highest value kept, by column; columns without spread have none."""
    limits = {}
    for name in names:
        values = fit[name].drop_nulls().cast(pl.Float64).to_numpy()
        if len(values) == 0 or fit[name].dtype == pl.Boolean:
            continue
        if level == "fine":
            low, high = (float(q) for q in np.quantile(values, [params.clip, 1 - params.clip]))
        else:
            middle = float(np.median(values))
            reach = params.outlier_limit * MAD_TO_SIGMA * float(np.median(np.abs(values - middle)))
            low, high = middle - reach, middle + reach
        if low < high:
            limits[name] = (low, high)
    return limits


def _limit(table: pl.DataFrame, limits: dict[str, tuple[float, float]]) -> tuple[pl.DataFrame, int]:
    outside = [((pl.col(n) < low) | (pl.col(n) > high)).sum().alias(n) for n, (low, high) in limits.items()]
    changed = sum(table.select(outside).row(0)) if outside else 0
    bounds = [pl.col(n).cast(pl.Float64).clip(low, high) for n, (low, high) in limits.items()]
    return table.with_columns(bounds), int(changed)


def _fill_simply(table: pl.DataFrame, fit: pl.DataFrame, roles: Roles) -> pl.DataFrame:
    columns = []
    for name in user_columns(table):
        if name in (roles.target, roles.group) or table[name].null_count() == 0 or table[name].dtype.is_temporal():
            continue
        known = fit[name].drop_nulls()
        if known.len() == 0:
            continue
        if name in numeric_columns(table) and known.dtype != pl.Boolean:
            columns.append(pl.col(name).cast(pl.Float64).fill_null(known.cast(pl.Float64).median()))
        else:
            columns.append(pl.col(name).fill_null(known.mode(maintain_order=True)[0]))
    return table.with_columns(columns)


def _impute(table: pl.DataFrame, fit: pl.DataFrame, roles: Roles, seed: int) -> pl.DataFrame:
    """Numbers from the other numbers; text that is missing becomes a value of its own."""
    own = (roles.target, roles.group)
    text = [n for n in user_columns(table) if table[n].dtype == pl.String and n not in own]
    table = table.with_columns(pl.col(name).fill_null("(missing)") for name in text)
    names = [n for n in numeric_columns(table, without=own) if fit[n].null_count() < fit.height]
    if not any(table[name].null_count() for name in names):
        return table
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer
    from sklearn.preprocessing import StandardScaler

    known = fit.select(pl.col(names).cast(pl.Float64)).to_numpy()
    scale = StandardScaler().fit(known)
    nearest = NEAREST if len(names) > NEAREST else None
    model = IterativeImputer(max_iter=IMPUTE_ROUNDS, n_nearest_features=nearest, random_state=seed, tol=1e-2)
    with warnings.catch_warnings():
        # the rounds are capped on purpose
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scale.transform(known))
    full = scale.inverse_transform(
        model.transform(scale.transform(table.select(pl.col(names).cast(pl.Float64)).to_numpy()))
    )
    low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
    full = np.clip(full, low, high)
    whole = table.select(names).null_count().row(0)
    return table.with_columns(
        pl.col(name).cast(pl.Float64).fill_null(pl.Series(full[:, place]))
        for place, name in enumerate(names)
        if whole[place]
    )


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(clean)


if __name__ == "__main__":
    main()
