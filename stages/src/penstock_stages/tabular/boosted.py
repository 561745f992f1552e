"""Boosted trees (XGBoost), with a small honest search: settings are chosen on folds of the training rows only.

Each candidate is trained with early stopping on every fold; the best mean loss wins and is trained once more on all
training rows, for the mean of the rounds it needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from penstock_stages import THREADS
from penstock_stages.contract import log

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
MOST_ROUNDS = 300
PATIENCE = 20
CANDIDATES: tuple[dict[str, float], ...] = (
    {"max_depth": 4, "eta": 0.1, "min_child_weight": 1, "lambda": 1},
    {"max_depth": 6, "eta": 0.1, "min_child_weight": 5, "lambda": 1},
    {"max_depth": 2, "eta": 0.1, "min_child_weight": 1, "lambda": 1},
    {"max_depth": 3, "eta": 0.05, "min_child_weight": 10, "lambda": 5},
    {"max_depth": 8, "eta": 0.1, "min_child_weight": 10, "lambda": 3},
    {"max_depth": 5, "eta": 0.05, "min_child_weight": 3, "lambda": 1},
)


@dataclass(frozen=True)
class Boosted:
    """A trained forest and how it came about; `guesses` are predictions for the judged rows of each fold."""

    booster: xgb.Booster
    classes: int
    settings: dict[str, float]
    rounds: int
    loss: float
    guesses: tuple[Array, ...] = ()

    def predict(self, columns: Array) -> Array:
        """Predictions (rows), or probabilities (rows x classes)."""
        found = self.booster.inplace_predict(columns, missing=np.nan, validate_features=False)
        return _by_class(found, self.classes)

    def importances(self, names: list[str]) -> Array:
        """The share of each column in the total gain."""
        gains = self.booster.get_score(importance_type="total_gain")
        size = np.array([float(np.sum(gains.get(f"f{i}", 0.0))) for i in range(len(names))])
        return np.asarray(size / size.sum() if size.sum() > 0 else size)

    def to_bytes(self) -> bytes:
        """The model as XGBoost's JSON: `xgboost.Booster().load_model()` reads it; columns are f0, f1 and so on."""
        return bytes(self.booster.save_raw("json"))


def fit_boosted(
    columns: Array,
    target: Array,
    classes: int,
    rows: Rows,
    folds: list[tuple[Rows, Rows]],
    search: int,
    seed: int,
) -> Boosted:
    """The best of `search` candidates, trained on `rows`; `classes` 0 is regression."""
    base = _objective(classes) | {"seed": seed, "nthread": THREADS, "tree_method": "hist", "verbosity": 0}
    base |= {"subsample": 0.8, "colsample_bytree": 0.8, "max_bin": 128}
    matrix = _binned(columns, target)
    tried = [_try(base, settings, classes, matrix, folds) for settings in CANDIDATES[:search]]
    for one in tried:
        log(f"tried {_words(one.settings)}: loss {one.loss:.5f} after {one.rounds} rounds")
    best = min(tried, key=lambda one: one.loss)
    booster = xgb.train(base | best.settings, matrix(rows), num_boost_round=best.rounds)
    settings = {**best.settings, "subsample": 0.8, "colsample_bytree": 0.8}
    return Boosted(booster, classes, settings, best.rounds, best.loss, best.guesses)


def quick_forest(columns: Array, target: Array, classes: int, rows: Rows, rounds: int, seed: int) -> Boosted:
    """One forest without a search, for finding out which columns matter."""
    base = _objective(classes) | {"seed": seed, "nthread": THREADS, "tree_method": "hist", "verbosity": 0}
    settings = {"max_depth": 4, "eta": 0.2, "max_bin": 64, "subsample": 0.8}
    booster = xgb.train(base | settings, _binned(columns, target)(rows), num_boost_round=rounds)
    return Boosted(booster, classes, settings, rounds, float("nan"))


def _binned(columns: Array, target: Array) -> Callable[[Rows], xgb.DMatrix]:
    return lambda rows: xgb.DMatrix(columns[rows], label=target[rows], missing=np.nan, nthread=THREADS)


def _objective(classes: int) -> dict[str, Any]:
    if classes == 0:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if classes == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": classes}


@dataclass(frozen=True)
class _Tried:
    settings: dict[str, float]
    loss: float
    rounds: int
    guesses: tuple[Array, ...]


def _try(
    base: dict[str, Any],
    settings: dict[str, float],
    classes: int,
    matrix: Callable[[Rows], xgb.DMatrix],
    folds: list[tuple[Rows, Rows]],
) -> _Tried:
    losses, rounds, guesses = [], [], []
    for learn, judge in folds:
        asked = matrix(judge)
        booster = xgb.train(
            base | settings,
            matrix(learn),
            num_boost_round=MOST_ROUNDS,
            evals=[(asked, "judge")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        losses.append(float(booster.best_score))
        rounds.append(int(booster.best_iteration) + 1)
        guesses.append(_by_class(booster.predict(asked, iteration_range=(0, rounds[-1])), classes))
    return _Tried(settings, float(np.mean(losses)), max(1, round(float(np.mean(rounds)))), tuple(guesses))


def _by_class(found: npt.NDArray[np.float32], classes: int) -> Array:
    wide = np.asarray(found).astype(float)
    return np.column_stack([1 - wide, wide]) if classes == 2 else wide


def _words(settings: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
