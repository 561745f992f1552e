"""Linear models on standardised columns, with numpy alone so that they start at once: ridge and logistic regression.

The penalty of ridge is chosen by generalised cross-validation (Golub, Heath and Wahba 1979); logistic regression has
the penalty 1/2 * |w|^2 against the summed log loss, as is common, and is solved by Newton's method (two classes) or L-BFGS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
NEWTON_COLUMNS = 500
ROUNDS = 50
PENALTIES = np.logspace(-3, 5, 33)


@dataclass(frozen=True)
class Linear:
    """`weights`: columns x outputs (1 for regression and two classes, else one per class)."""

    median: Array
    mean: Array
    scale: Array
    weights: Array
    intercept: Array
    classes: int
    penalty: float

    def decide(self, columns: Array) -> Array:
        """Predictions, or the logits of classes: rows x outputs."""
        return _standard(columns, self.median, self.mean, self.scale) @ self.weights + self.intercept

    def predict(self, columns: Array) -> Array:
        """Predictions (rows), or probabilities (rows x classes)."""
        scores = self.decide(columns)
        if self.classes == 0:
            return np.asarray(scores[:, 0])
        if self.classes == 2:
            up = _sigmoid(scores[:, 0])
            return np.column_stack([1 - up, up])
        return _softmax(scores)

    def importances(self) -> Array:
        """The mean size of a column's weights, all adding up to 1."""
        size = np.abs(self.weights).mean(axis=1)
        return np.asarray(size / size.sum() if size.sum() > 0 else size)

    def to_json(self, names: list[str], classes: list[str]) -> dict[str, Any]:
        """The whole model, to be read by a person or another program."""
        return {
            "format": "penstock-linear/1",
            "formula": "x = ((value, or median if missing) - mean) / scale; score = x @ weights + intercept; "
            "regression: the score; two classes: 1 / (1 + exp(-score)) is the probability of the second; else softmax",
            "features": names,
            "classes": classes,
            "median": self.median.tolist(),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
            "weights": self.weights.tolist(),
            "intercept": self.intercept.tolist(),
            "penalty": self.penalty,
        }


def fit_ridge(columns: Array, target: Array) -> Linear:
    """Least squares with the penalty that generalised cross-validation likes best."""
    median, mean, scale, x = _prepare(columns)
    level = float(target.mean())
    y = target - level
    spectrum, axes = np.linalg.eigh(x.T @ x)
    spectrum = np.maximum(spectrum, 0.0)
    along = axes.T @ (x.T @ y)
    rows, total = len(y), float(y @ y)
    best, penalty = np.inf, float(PENALTIES[0])
    for candidate in PENALTIES:
        shrunk = along / (spectrum + candidate)
        residual = max(total - 2 * float(along @ shrunk) + float((spectrum * shrunk**2).sum()), 0.0)
        freedom = 1 - (1 + float((spectrum / (spectrum + candidate)).sum())) / rows
        score = residual / rows / freedom**2 if freedom > 1e-6 else np.inf
        if score < best * (1 - 1e-9):
            best, penalty = score, float(candidate)
    weights = axes @ (along / (spectrum + penalty))
    return Linear(median, mean, scale, weights[:, None], np.array([level]), 0, penalty)


def fit_logistic(columns: Array, codes: npt.NDArray[np.int64], classes: int, penalty: float = 1.0) -> Linear:
    """Probabilities of `classes` classes; `codes` are their places."""
    median, mean, scale, x = _prepare(columns)
    if classes == 2 and x.shape[1] <= NEWTON_COLUMNS:
        weights, intercept = _newton(x, codes.astype(float), penalty)
    else:
        weights, intercept = _lbfgs(x, codes, classes, penalty)
    return Linear(median, mean, scale, weights, intercept, classes, penalty)


def _prepare(columns: Array) -> tuple[Array, Array, Array, Array]:
    with np.errstate(all="ignore"):
        known = np.isfinite(columns).any(axis=0)
        median = np.where(known, np.nanmedian(np.where(known, columns, 0.0), axis=0), 0.0)
    filled = np.where(np.isfinite(columns), columns, median)
    mean, scale = filled.mean(axis=0), filled.std(axis=0)
    scale = np.where(scale > 1e-12 * np.maximum(1.0, np.abs(mean)), scale, np.inf)
    finite = np.where(np.isfinite(scale), scale, 1e300)
    return median, mean, finite, (filled - mean) / scale


def _standard(columns: Array, median: Array, mean: Array, scale: Array) -> Array:
    return np.asarray((np.where(np.isfinite(columns), columns, median) - mean) / scale)


def _newton(x: Array, y: Array, penalty: float) -> tuple[Array, Array]:
    rows, width = x.shape
    design = np.column_stack([x, np.ones(rows)])
    ridge = np.full(width + 1, penalty)
    ridge[-1] = 1e-9
    share = float(np.clip(y.mean(), 1e-6, 1 - 1e-6))
    weights = np.zeros(width + 1)
    weights[-1] = np.log(share / (1 - share))

    def loss(w: Array) -> float:
        z = design @ w
        return float(np.logaddexp(0.0, z).sum() - y @ z + 0.5 * (ridge * w * w).sum())

    current = loss(weights)
    for _ in range(ROUNDS):
        p = _sigmoid(design @ weights)
        gradient = design.T @ (p - y) + ridge * weights
        curve = (design * (p * (1 - p))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curve, gradient)
        size = 1.0
        while (following := loss(weights - size * step)) > current and size > 1e-4:
            size /= 2
        weights = weights - size * step
        if current - following < 1e-9 * (abs(current) + 1):
            break
        current = following
    return weights[:-1, None], weights[-1:]


def _lbfgs(x: Array, codes: npt.NDArray[np.int64], classes: int, penalty: float) -> tuple[Array, Array]:
    from scipy.optimize import minimize

    rows, width = x.shape
    wanted = np.zeros((rows, classes))
    wanted[np.arange(rows), codes] = 1.0

    def loss(flat: Array) -> tuple[float, Array]:
        w = flat.reshape(width + 1, classes)
        z = x @ w[:-1] + w[-1]
        z -= z.max(axis=1, keepdims=True)
        exponents = np.exp(z)
        total = exponents.sum(axis=1, keepdims=True)
        value = float(np.log(total).sum() - (wanted * z).sum() + 0.5 * penalty * (w[:-1] ** 2).sum())
        error = exponents / total - wanted
        gradient = np.vstack([x.T @ error + penalty * w[:-1], error.sum(axis=0)])
        return value / rows, gradient.ravel() / rows

    found = minimize(loss, np.zeros((width + 1) * classes), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    w = found.x.reshape(width + 1, classes)
    if classes == 2:
        return (w[:-1, 1] - w[:-1, 0])[:, None], np.array([w[-1, 1] - w[-1, 0]])
    return w[:-1], w[-1]


def _sigmoid(z: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * z)))


def _softmax(z: Array) -> Array:
    exponents = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))
