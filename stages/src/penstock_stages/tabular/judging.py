"""Measures of quality on held-out rows, in numpy: the definitions of scikit-learn, without the second of its import."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def confusion(truth: Codes, guess: Codes, classes: int) -> npt.NDArray[np.int64]:
    """Counts, true classes by guessed ones; rows of a class that training never saw (-1) are not in it."""
    known = truth >= 0
    places = truth[known] * classes + guess[known]
    return np.bincount(places, minlength=classes * classes).reshape(classes, classes)


def per_class(table: npt.NDArray[np.int64]) -> tuple[Array, Array, Array]:
    """Precision, recall and F1 of each class; 0 where there is nothing to divide by."""
    hit = np.diag(table).astype(float)
    precision = hit / np.maximum(table.sum(axis=0), 1)
    recall = hit / np.maximum(table.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return precision, recall, f1


def log_loss(truth: Codes, chances: Array) -> float:
    """The mean of -ln(probability given to the true class); a class never seen counts as 1e-15."""
    given = np.where(truth >= 0, chances[np.arange(len(truth)), np.maximum(truth, 0)], 0.0)
    return float(-np.log(np.clip(given, 1e-15, 1.0)).mean())


def roc(positive: npt.NDArray[np.bool_], score: Array) -> tuple[Array, Array]:
    """False and true positive rates at each distinct score, from (0, 0) to (1, 1)."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(positive[order])[ends]
    misses = ends + 1 - hits
    true_rate = np.concatenate([[0.0], hits / max(1, hits[-1])])
    false_rate = np.concatenate([[0.0], misses / max(1, misses[-1])])
    return false_rate, true_rate


def auc(positive: npt.NDArray[np.bool_], score: Array) -> float:
    """The area under the ROC curve; NaN when one of the two kinds is missing."""
    if positive.all() or not positive.any():
        return float("nan")
    false_rate, true_rate = roc(positive, score)
    return float(np.trapezoid(true_rate, false_rate))


def macro_auc(truth: Codes, chances: Array) -> float:
    """Two classes: the area for the second; more: the mean over classes of each against the rest."""
    if chances.shape[1] == 2:
        return auc(truth == 1, chances[:, 1])
    areas = [auc(truth == k, chances[:, k]) for k in range(chances.shape[1])]
    known = [area for area in areas if not np.isnan(area)]
    return float(np.mean(known)) if known else float("nan")


def regression(truth: Array, guess: Array) -> dict[str, float]:
    """RMSE, MAE and R2 (0 for a target that does not vary)."""
    error = guess - truth
    spread = float(((truth - truth.mean()) ** 2).sum())
    return {
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
        "r2": 1 - float((error**2).sum()) / spread if spread else 0.0,
    }


def r2_by_row(truth: Array, guess: Array) -> Array:
    """What each row adds to R2, so that the mean is R2: 1 - squared error / variance (0 for a target that does not vary)."""
    spread = float(((truth - truth.mean()) ** 2).mean())
    return 1 - (guess - truth) ** 2 / spread if spread else np.zeros(len(truth))


def better(gain: Array) -> str:
    """`better`, `worse` or `no better`: is the mean gain over the baseline two standard errors away from zero?"""
    if len(gain) < 2:
        return "no better"
    mean, error = float(gain.mean()), float(gain.std(ddof=1)) / np.sqrt(len(gain))
    return "better" if mean > 2 * error and mean > 0 else "worse" if mean < -2 * error else "no better"
