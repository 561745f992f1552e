"""How much a number says about a target: the F test, one column at a time (numpy only)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def f_scores(columns: Array, target: npt.NDArray[np.generic], classes: bool) -> Array:
    """F statistic of each column (rows x columns): of classes (ANOVA) or of the linear fit. NaN counts as the mean."""
    centred = columns - np.nan_to_num(np.nanmean(np.where(np.isfinite(columns), columns, np.nan), axis=0))
    centred = np.where(np.isfinite(centred), centred, 0.0)
    total = (centred**2).sum(axis=0)
    rows = len(centred)
    if classes:
        _, codes = np.unique(target, return_inverse=True)
        counts = np.bincount(codes).astype(float)
        sums = np.stack([np.bincount(codes, weights=column) for column in centred.T], axis=1)
        explained = (sums**2 / counts[:, None]).sum(axis=0)
        degrees = len(counts) - 1
    else:
        wanted = target.astype(float) - float(np.mean(target.astype(float)))
        spread = float((wanted**2).sum())
        explained = (centred.T @ wanted) ** 2 / spread if spread else np.zeros(centred.shape[1])
        degrees = 1
    rest = np.maximum(total - explained, 1e-12 * np.maximum(total, 1e-300))
    scores = (explained / max(1, degrees)) / (rest / max(1, rows - degrees - 1))
    return np.where(total > 0, scores, 0.0)
