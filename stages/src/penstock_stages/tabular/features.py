"""Features: numbers to learn from, made of what the table has.

  coarse  every kind: calendar, encodings (with target means), interactions; for prices the whole set of indicators
  medium  the same kinds, but which of them are kept is decided on a sample of the training rows
  fine    the simplified algorithm: calendar and frequency codes; for prices the lagged returns only
Output: `table`, with the label `direction` where the task is direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from penstock_stages import contract, sampling
from penstock_stages.contract import Reply, Request, log
from penstock_stages.params import at_least, read_params
from penstock_stages.table import PART, TRAIN, facts, read_table, train_rows, user_columns, write_table
from penstock_stages.tabular import folding, generic, series
from penstock_stages.tabular.roles import Roles, Task, find_roles
from penstock_stages.tabular.scores import f_scores

KEPT_AT_MEDIUM = 12


@dataclass(frozen=True)
class Params:
    """`horizon` and `lags` count bars; `interactions` counts pairs; up to `max_categories` values get a column each."""

    task: Task = "auto"
    target: str = ""
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""
    horizon: int = 1
    lags: int = 10
    max_categories: int = 20
    interactions: int = 3


def features(request: Request) -> Reply:
    """Makes the features. Raises: `Refusal` when columns that the task needs cannot be found."""
    params = read_params(Params, request.params)
    at_least("horizon", params.horizon, 1)
    at_least("lags", params.lags, 1, 250)
    at_least("max_categories", params.max_categories, 2, 1000)
    at_least("interactions", params.interactions, 0, 20)
    table = read_table(request.required("table"))
    roles = find_roles(table, params, request.context)
    before = len(user_columns(table))
    if roles.task == "direction":
        simple = request.granularity == "fine"
        table, names = series.make(table, roles, params.lags, params.horizon, simple, request.trial)
        made = len(names)
        roles = Roles("direction", series.LABEL, roles.time, roles.price, roles.series)
        if request.granularity == "medium":
            table = _keep_best(table, names, roles, request)
    else:
        table, made = _generic(table, roles, params, request)
    log(f"{before} columns became {len(user_columns(table))}; {made} were made")
    write_table(request, table)
    return Reply(
        outputs={"table": "table.parquet"},
        metrics={"columns_in": before, "columns_out": len(user_columns(table)), "made": made},
        data=facts(request, table),
        context={
            **roles.to_context(),
            "tabular.horizon": params.horizon,
            "tabular.level.features": request.granularity,
        },
    )


def _generic(table: pl.DataFrame, roles: Roles, params: Params, request: Request) -> tuple[pl.DataFrame, int]:
    classes = roles.task == "classification"
    simple = request.granularity == "fine"
    table = folding.marked(table, roles, request.trial)
    own = (roles.target, roles.group)
    fit = train_rows(table)
    table, dates = generic.calendar(table, own)
    table, codes = generic.encode(table, fit, own, classes, params.max_categories, simple, request.seed)
    if simple:
        return table, dates + codes
    chosen_on = fit
    if request.granularity == "medium":
        chosen_on = pl.Series(_sample(table, fit, request))
    table, pairs = generic.interactions(table, chosen_on, own, classes, params.interactions)
    return table, dates + codes + pairs


def _sample(table: pl.DataFrame, fit: pl.Series, request: Request) -> sampling.Mask:
    places = np.flatnonzero(fit.to_numpy())
    mask = np.zeros(table.height, dtype=bool)
    mask[places[sampling.by_hash(table.filter(fit), request.sample, request.seed)]] = True
    return mask


def _keep_best(table: pl.DataFrame, names: list[str], roles: Roles, request: Request) -> pl.DataFrame:
    train = table.filter(pl.col(PART) == TRAIN) if PART in table.columns else table
    order = train[roles.time].rank("ordinal").to_numpy().astype(np.int64)
    probe = train.filter(pl.Series(sampling.recent(order, request.sample)))
    scores = f_scores(probe.select(names).to_numpy(), probe[roles.target].to_numpy(), classes=True)
    best = {names[i] for i in np.argsort(-scores, kind="stable")[:KEPT_AT_MEDIUM]}
    return table.drop([name for name in names if name not in best])


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(features)


if __name__ == "__main__":
    main()
