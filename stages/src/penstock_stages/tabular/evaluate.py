"""Evaluate: how good the model is on the rows it has not seen, against guessing without a model.

Classes: accuracy, F1 (mean over classes), ROC AUC, log loss. Numbers: RMSE, MAE, R2. The baseline guesses the most
common class of the training rows, or their mean.
Outputs: `metrics` (JSON), and SVG figures by the names `confusion`, `roc`, `predicted`, `residuals`, `importances`, `in_time`;
in a trial `row_scores` (JSON) instead of the figures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from penstock_stages import contract
from penstock_stages.contract import Refusal, Reply, Request, log
from penstock_stages.params import Misuse, read_params
from penstock_stages.table import TEST, TRAIN, first_line
from penstock_stages.tabular import judging


@dataclass(frozen=True)
class Params:
    """`figures` false leaves the SVGs out."""

    figures: bool = True


@dataclass(frozen=True)
class Judged:
    """What came out: numbers for the engine, more for the page, a sentence for a person."""

    metrics: dict[str, float]
    train: dict[str, float]
    detail: dict[str, Any]
    verdict: str


def evaluate(request: Request) -> Reply:
    """Judges the predictions. Raises: `Refusal` when there are no held-out rows."""
    params = read_params(Params, request.params)
    card = _card(request)
    source = request.required("predictions")
    try:
        predictions = pl.read_parquet(source.path)
    except pl.exceptions.PolarsError as error:
        raise Refusal(f"the predictions are not a Parquet table: {first_line(error)}") from None
    test = predictions.filter(pl.col("part") == TEST)
    train = predictions.filter(pl.col("part") == TRAIN)
    if test.height == 0:
        raise Refusal("there are no held-out rows to judge by")
    classes = [str(name) for name in card.get("classes") or []]
    judged = (
        _classes(test, train, classes, str(card["baseline"])) if classes else _numbers(test, train, card["baseline"])
    )
    log(judged.verdict)
    body = {
        "task": card.get("task"),
        "target": card.get("target"),
        "verdict": judged.verdict,
        "test": _rounded(judged.metrics),
        "train": _rounded(judged.train),
        "test_rows": test.height,
        **judged.detail,
    }
    outputs = {"metrics": contract.write_json(request, "metrics.json", body)}
    if request.trial is not None:
        outputs["row_scores"] = contract.write_json(request, "row_scores.json", _row_scores(test, classes))
    elif params.figures:
        outputs |= _draw(request, test, classes, card, body)
    return Reply(
        outputs=outputs,
        metrics=judged.metrics,
        data={"rows": test.height, "bytes": source.path.stat().st_size},
        context={"tabular.verdict": judged.verdict, "tabular.level.evaluate": request.granularity},
    )


def _row_scores(test: pl.DataFrame, classes: list[str]) -> dict[str, Any]:
    """The held-out rows by their lines, and scores whose mean is the metric: 1 or 0 of accuracy, the row's part of R2."""
    rows = test.sort("line")
    if classes:
        hits = (rows["y_true"] == rows["y_pred"]).cast(pl.Int64).to_list()
        return {"metric": "accuracy", "rows": rows["line"].to_list(), "scores": hits}
    scores = judging.r2_by_row(rows["y_true"].to_numpy(), rows["y_pred"].to_numpy())
    return {"metric": "r2", "rows": rows["line"].to_list(), "scores": scores.tolist()}


def _card(request: Request) -> dict[str, Any]:
    source = request.optional("model_card")
    if source is None:
        raise Misuse(f"stage {request.stage} needs the `model_card` of tabular/train: put `train` in its `needs`")
    card: dict[str, Any] = json.loads(source.path.read_text(encoding="utf-8"))
    return card


def _codes(truth: pl.Series, classes: list[str]) -> judging.Codes:
    places = {name: i for i, name in enumerate(classes)}
    return truth.replace_strict(places, default=-1, return_dtype=pl.Int64).fill_null(-1).to_numpy()


def _class_metrics(rows: pl.DataFrame, classes: list[str]) -> tuple[dict[str, float], Any]:
    truth, guess = _codes(rows["y_true"], classes), _codes(rows["y_pred"], classes)
    chances = rows.select([f"p {name}" for name in classes]).to_numpy()
    table = judging.confusion(truth, guess, len(classes))
    present = table.sum(axis=1) + table.sum(axis=0) > 0
    f1 = judging.per_class(table)[2][present]
    metrics = {
        "accuracy": float((truth == guess).mean()),
        "f1": float(f1.mean()) if len(f1) else 0.0,
        "roc_auc": judging.macro_auc(truth, chances),
        "log_loss": judging.log_loss(truth, chances),
    }
    return metrics, table


def _classes(test: pl.DataFrame, train: pl.DataFrame, classes: list[str], best: str) -> Judged:
    metrics, table = _class_metrics(test, classes)
    right = (test["y_true"] == test["y_pred"]).to_numpy().astype(float)
    lucky = (test["y_true"] == best).to_numpy().astype(float)
    metrics["baseline_accuracy"] = float(lucky.mean())
    precision, recall, f1 = judging.per_class(table)
    by_class = [
        {"class": name, "precision": precision[i], "recall": recall[i], "f1": f1[i], "rows": int(table[i].sum())}
        for i, name in enumerate(classes)
    ]
    how = judging.better(right - lucky)
    verdict = (
        f"{how.capitalize()} than guessing: accuracy {metrics['accuracy']:.3f} against "
        f"{metrics['baseline_accuracy']:.3f} for always guessing the most common class (`{best}`), "
        f"on {test.height} held-out rows"
    )
    detail = {"classes": classes, "confusion": table.tolist(), "by_class": [_rounded(row) for row in by_class]}
    detail |= {"most_common": best, "judgement": how}
    return Judged(metrics, _class_metrics(train, classes)[0] if train.height else {}, detail, verdict)


def _numbers(test: pl.DataFrame, train: pl.DataFrame, middle: float) -> Judged:
    truth, guess = test["y_true"].to_numpy(), test["y_pred"].to_numpy()
    metrics = judging.regression(truth, guess)
    metrics["baseline_rmse"] = float(np.sqrt(((truth - middle) ** 2).mean()))
    how = judging.better((truth - middle) ** 2 - (truth - guess) ** 2)
    verdict = (
        f"{how.capitalize()} than guessing: typical error (RMSE) {metrics['rmse']:.4g} against "
        f"{metrics['baseline_rmse']:.4g} for always guessing the mean, R² {metrics['r2']:.3f}, "
        f"on {test.height} held-out rows"
    )
    seen = judging.regression(train["y_true"].to_numpy(), train["y_pred"].to_numpy()) if train.height else {}
    return Judged(metrics, seen, {"judgement": how}, verdict)


def _draw(
    request: Request, test: pl.DataFrame, classes: list[str], card: dict[str, Any], body: dict[str, Any]
) -> dict[str, str]:
    from penstock_stages.tabular import figures

    drawn = {}
    if classes:
        truth = _codes(test["y_true"], classes)
        chances = test.select([f"p {name}" for name in classes]).to_numpy()
        drawn["confusion"] = figures.confusion(np.array(body["confusion"]), classes)
        drawn["roc"] = figures.roc(truth, chances, classes)
        if "time" in test.columns and test.height >= 60:
            right = (test["y_true"] == test["y_pred"]).to_numpy()
            times = test["time"].cast(pl.Datetime("us")).to_numpy()
            drawn["in_time"] = figures.accuracy_in_time(times, right, body["test"]["baseline_accuracy"])
    else:
        exact, guess = test["y_true"].to_numpy(), test["y_pred"].to_numpy()
        drawn["predicted"] = figures.predicted(exact, guess, str(card.get("target") or "value"))
        drawn["residuals"] = figures.residuals(exact, guess)
    ranked = [(str(row["feature"]), float(row["importance"])) for row in card.get("importances") or []]
    if ranked:
        drawn["importances"] = figures.importances(ranked)
    outputs = {}
    for name, figure in drawn.items():
        with contract.writing(request, f"{name}.svg") as draft:
            figures.save(figure, draft)
        outputs[name] = f"{name}.svg"
    return outputs


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(float(value), 6) if isinstance(value, float) and np.isfinite(value) else value
        for name, value in row.items()
        if not (isinstance(value, float) and not np.isfinite(value))
    }


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(evaluate)


if __name__ == "__main__":
    main()
