"""Boosted trees and a linear model, averaged: each is good where the other is not.

How much each counts is chosen on the folds that the settings of the trees are chosen on, from five shares, by the mean
loss on the rows that neither has seen (the simplest form of stacking, Wolpert 1992).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock_stages.contract import log
from penstock_stages.tabular.boosted import Boosted, fit_boosted
from penstock_stages.tabular.linear import Linear, fit_logistic, fit_ridge

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
SHARES = (0.5, 0.25, 0.75, 0.0, 1.0)


@dataclass(frozen=True)
class Blended:
    """Both models, and the share of the trees in the mean of their predictions."""

    trees: Boosted
    linear: Linear
    share: float
    loss: float

    def predict(self, columns: Array) -> Array:
        """Predictions (rows), or probabilities (rows x classes)."""
        return self.share * self.trees.predict(columns) + (1 - self.share) * self.linear.predict(columns)

    def importances(self, names: list[str]) -> Array:
        """Those of both models, by their shares."""
        return self.share * self.trees.importances(names) + (1 - self.share) * self.linear.importances()

    def to_bytes(self, names: list[str], classes: list[str]) -> bytes:
        """The model as JSON: `boosted` is a file of XGBoost, `linear` has its own formula."""
        body = {
            "format": "penstock-blend/1",
            "formula": "share * boosted + (1 - share) * linear, of predictions or of probabilities",
            "share": self.share,
            "boosted": json.loads(self.trees.to_bytes()),
            "linear": self.linear.to_json(names, classes),
        }
        return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def fit_linear(columns: Array, target: Array, classes: int, rows: Rows) -> Linear:
    """Logistic regression for `classes` classes, ridge regression for none, on `rows`."""
    if classes:
        return fit_logistic(columns[rows], target[rows].astype(np.int64), classes)
    return fit_ridge(columns[rows], target[rows])


def fit_blended(
    columns: Array, target: Array, classes: int, rows: Rows, folds: list[tuple[Rows, Rows]], search: int, seed: int
) -> Blended:
    """The best of `search` candidates of trees and a linear model, both trained on `rows`; `classes` 0 is regression."""
    trees = fit_boosted(columns, target, classes, rows, folds, search, seed)
    straight = [fit_linear(columns, target, classes, learn).predict(columns[judge]) for learn, judge in folds]
    losses = []
    for share in SHARES:
        mixed = [share * a + (1 - share) * b for a, b in zip(trees.guesses, straight, strict=True)]
        pairs = zip(mixed, folds, strict=True)
        losses.append(float(np.mean([_loss(guess, target[judge], classes) for guess, (_, judge) in pairs])))
    best = int(np.argmin(losses))
    log(f"the trees count {SHARES[best]:.0%}, the linear model {1 - SHARES[best]:.0%}: loss {losses[best]:.5f}")
    return Blended(trees, fit_linear(columns, target, classes, rows), SHARES[best], losses[best])


def _loss(guess: Array, truth: Array, classes: int) -> float:
    if classes == 0:
        return float(((guess - truth) ** 2).mean())
    known = truth >= 0
    return float(-np.log(np.clip(guess[known, truth[known].astype(int)], 1e-9, 1)).mean())
