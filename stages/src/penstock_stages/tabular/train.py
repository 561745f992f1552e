"""Train: a model from the training part, and its predictions for the part that was held out.

  coarse  boosted trees and a linear model, averaged; settings and shares searched on folds of the training rows
  medium  the same on a sample of the training rows (of a series, the latest bars); all held-out rows are predicted
  fine    the simplified algorithm: ridge or logistic regression
Outputs: `model` (JSON of both, of XGBoost, or of coefficients), `predictions` (Parquet), `model_card` (JSON).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from penstock_stages import __version__, contract
from penstock_stages.contract import Refusal, Reply, Request, log, writing
from penstock_stages.params import Misuse, at_least, read_params
from penstock_stages.table import LINE, TEST, TRAIN, facts, read_table, write_table
from penstock_stages.tabular import folding, matrix
from penstock_stages.tabular.linear import fit_logistic, fit_ridge
from penstock_stages.tabular.roles import Roles, Task, find_roles, target_problem

SMALL = 5_000
FOLDS = 3


@dataclass(frozen=True)
class Params:
    """`model` auto is blended, and linear at fine; `search` counts the settings that boosted tries."""

    task: Task = "auto"
    target: str = ""
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""
    model: Literal["auto", "blended", "boosted", "linear", "ridge", "logistic"] = "auto"
    search: int = 3
    horizon: int = 1


@dataclass(frozen=True)
class Trained:
    """What an algorithm left: predictions for all rows asked for, and what the card and the file say."""

    predicted: matrix.Array
    importances: matrix.Array
    algorithm: str
    settings: dict[str, float]
    model: bytes
    metrics: dict[str, float]


def train(request: Request) -> Reply:
    """Trains and predicts. Raises: `Refusal` when nothing can be learned, `Misuse` for a model the task cannot have."""
    params = read_params(Params, request.params)
    at_least("search", params.search, 1, 6)
    at_least("horizon", params.horizon, 1)
    table = read_table(request.required("table"))
    roles = find_roles(table, params, request.context)
    horizon = int(request.context.get("tabular.horizon") or params.horizon)
    table = folding.marked(table, roles, request.trial, horizon)
    names = matrix.candidates(table, roles)
    target = table[roles.target]
    if trouble := target_problem(target, "regression" if roles.task == "regression" else "classification"):
        raise Refusal(trouble)
    algorithm = _algorithm(params.model, roles, request.granularity)
    parts = matrix.split(table, roles, request.seed, horizon)
    rows = matrix.in_time(table, roles, matrix.sampled(table, roles, parts.train, request.sample, request.seed))
    classes, codes = _target(target, roles, rows)
    columns = matrix.values(table, names)
    if algorithm == "linear":
        trained = _linear(columns, codes, classes, rows, names)
    else:
        folds = matrix.folds(table, roles, rows, request.seed, FOLDS if len(rows) < SMALL else 1, horizon)
        fit = _blended if algorithm == "blended" else _boosted
        trained = fit(columns, codes, classes, rows, folds, names, params.search, request.seed % 2**31)
    log(f"{trained.algorithm} on {len(rows)} rows and {len(names)} columns; {len(parts.test)} rows held out")
    card = {
        "task": roles.task,
        "target": roles.target,
        "classes": classes,
        "algorithm": trained.algorithm,
        "settings": trained.settings,
        "granularity": request.granularity,
        "sample": request.sample,
        "seed": request.seed,
        "horizon": horizon if roles.task == "direction" else None,
        "features": names,
        "importances": _ranked(names, trained.importances),
        "baseline": _baseline(target, roles, parts.train),
        "split": {
            "how": parts.how,
            "order": "time" if roles.task == "direction" else "hash of the record",
            "train_rows": len(parts.train),
            "used_rows": len(rows),
            "test_rows": len(parts.test),
            "left_out_rows": table.height - len(parts.train) - len(parts.test),
        },
        "version": __version__,
    }
    with writing(request, "model.json") as draft:
        draft.write_bytes(trained.model)
    predictions = _predictions(table, roles, trained.predicted, classes, rows, parts.test)
    write_table(request, predictions, "predictions.parquet")
    return Reply(
        outputs={
            "model": "model.json",
            "predictions": "predictions.parquet",
            "model_card": contract.write_json(request, "model_card.json", card),
        },
        metrics={
            "train_rows": len(rows),
            "test_rows": len(parts.test),
            "features": len(names),
            "classes": len(classes),
            "model_bytes": len(trained.model),
            **trained.metrics,
        },
        data={**facts(request, predictions, "predictions.parquet"), "rows": table.height},
        context={
            **roles.to_context(),
            "tabular.algorithm": trained.algorithm,
            "tabular.level.train": request.granularity,
        },
    )


def _algorithm(asked: str, roles: Roles, level: str) -> Literal["blended", "boosted", "linear"]:
    if asked == "logistic" and roles.task == "regression":
        raise Misuse("model: logistic is for classes; for regression there are blended, boosted, linear and ridge")
    if asked == "ridge" and roles.task != "regression":
        log("model: ridge for classes is logistic regression with a ridge penalty")
    if level == "fine" and asked in ("blended", "boosted"):
        log(f"fine is the simplified algorithm, a linear model; model: {asked} holds at coarse and medium")
    if level == "fine" or asked in ("linear", "ridge", "logistic"):
        return "linear"
    return "boosted" if asked == "boosted" else "blended"


def _target(target: pl.Series, roles: Roles, rows: matrix.Rows) -> tuple[list[str], matrix.Array]:
    if roles.task == "regression":
        return [], target.cast(pl.Float64).to_numpy()
    classes, codes = matrix.class_codes(target, rows)
    if len(classes) < 2:
        raise Refusal(f"target `{roles.target}`: the training rows have one class only (`{classes[0]}`)")
    return classes, codes.astype(float)


def _blended(
    columns: matrix.Array,
    target: matrix.Array,
    classes: list[str],
    rows: matrix.Rows,
    folds: list[tuple[matrix.Rows, matrix.Rows]],
    names: list[str],
    search: int,
    seed: int,
) -> Trained:
    from penstock_stages.tabular.blended import fit_blended

    model = fit_blended(columns, target, len(classes), rows, folds, search, seed)
    settings = {**model.trees.settings, "rounds": model.trees.rounds}
    return Trained(
        model.predict(columns),
        model.importances(names),
        f"boosted trees (XGBoost) and {'logistic' if classes else 'ridge'} regression, averaged",
        {**settings, "share_of_trees": model.share, "penalty": model.linear.penalty},
        model.to_bytes(names, classes),
        {"rounds": model.trees.rounds, "share_of_trees": model.share, "search_loss": model.loss, "tried": search},
    )


def _boosted(
    columns: matrix.Array,
    target: matrix.Array,
    classes: list[str],
    rows: matrix.Rows,
    folds: list[tuple[matrix.Rows, matrix.Rows]],
    names: list[str],
    search: int,
    seed: int,
) -> Trained:
    from penstock_stages.tabular.boosted import fit_boosted

    model = fit_boosted(columns, target, len(classes), rows, folds, search, seed)
    return Trained(
        model.predict(columns),
        model.importances(names),
        "boosted trees (XGBoost)",
        {**model.settings, "rounds": model.rounds},
        model.to_bytes(),
        {"rounds": model.rounds, "search_loss": model.loss, "tried": search},
    )


def _linear(
    columns: matrix.Array, target: matrix.Array, classes: list[str], rows: matrix.Rows, names: list[str]
) -> Trained:
    import json

    if classes:
        model = fit_logistic(columns[rows], target[rows].astype(np.int64), len(classes))
        algorithm = "logistic regression"
    else:
        model = fit_ridge(columns[rows], target[rows])
        algorithm = "ridge regression"
    text = json.dumps(model.to_json(names, classes), ensure_ascii=False, sort_keys=True)
    return Trained(
        model.predict(columns),
        model.importances(),
        algorithm,
        {"penalty": model.penalty},
        text.encode(),
        {"penalty": model.penalty},
    )


def _baseline(target: pl.Series, roles: Roles, rows: matrix.Rows) -> str | float:
    """What one would guess without a model: the most common class of all training rows, or their mean."""
    if roles.task == "regression":
        return float(target[rows].cast(pl.Float64).mean() or 0.0)  # type: ignore[arg-type]
    counts = matrix.class_names(target)[rows].value_counts(name="rows")
    return str(counts.sort("rows", target.name, descending=[True, False])[target.name][0])


def _ranked(names: list[str], importances: matrix.Array) -> list[dict[str, Any]]:
    order = np.argsort(-importances, kind="stable")
    return [{"feature": names[i], "importance": round(float(importances[i]), 6)} for i in order]


def _predictions(
    table: pl.DataFrame,
    roles: Roles,
    predicted: matrix.Array,
    classes: list[str],
    train_rows: matrix.Rows,
    test_rows: matrix.Rows,
) -> pl.DataFrame:
    """Held-out rows first, then those learned from: line, part, y_true, y_pred and `p <class>` for each class."""
    rows = np.concatenate([test_rows, train_rows])
    part = [TEST] * len(test_rows) + [TRAIN] * len(train_rows)
    lines = table[LINE] if LINE in table.columns else pl.int_range(1, table.height + 1, eager=True)
    found = {"line": lines[rows], "part": pl.Series(part, dtype=pl.String)}
    if roles.task == "direction":
        found["time"] = table[roles.time][rows]
    truth = table[roles.target][rows]
    if not classes:
        found |= {"y_true": truth.cast(pl.Float64), "y_pred": pl.Series(predicted[rows])}
        return pl.DataFrame(found)
    best = np.array(classes, dtype=object)[predicted[rows].argmax(axis=1)]
    found |= {"y_true": matrix.class_names(truth), "y_pred": pl.Series(best, dtype=pl.String)}
    found |= {f"p {name}": pl.Series(predicted[rows, place]) for place, name in enumerate(classes)}
    return pl.DataFrame(found)


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(train)


if __name__ == "__main__":
    main()
