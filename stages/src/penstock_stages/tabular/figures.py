"""Figures as SVG: text stays text, and the same numbers give the same bytes.

The colours are names in disguise: the report turns them into CSS variables, so that figures follow light and dark.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from penstock_stages.tabular import judging

Array = npt.NDArray[np.float64]
INK, FAINT, PAPER, FIRST, SECOND = "#1b2733", "#c9d1d9", "#fdfefe", "#1f6f8b", "#c8641b"
LINES = (FIRST, SECOND, "#5b7f3a", "#8a4f9e", "#a33d4a", "#4a6fd0", "#8c6d1f", "#3a8f85", "#7a7a7a", "#b05c8f")
MOST_BARS = 15
MOST_POINTS = 1_500
MOST_CLASSES = 12

mpl.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "penstock",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "text.color": INK,
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
    }
)


def save(figure: Figure, path: Path) -> None:
    """Writes the figure without date or creator."""
    quiet = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with warnings.catch_warnings():
        # text stays text: the reader's fonts draw it, whatever ours lack
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, format="svg", transparent=True, metadata=quiet)


def confusion(table: npt.NDArray[np.int64], classes: list[str]) -> Figure:
    """True classes down, guessed ones across; shade is the share of the true class."""
    size = min(7.0, max(4.2, 2.2 + 0.4 * len(classes)))
    figure, axes = _axes(size + 0.4, size)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    shade = LinearSegmentedColormap.from_list("shade", [(0.12, 0.44, 0.55, 0.0), (0.12, 0.44, 0.55, 0.55)])
    axes.pcolormesh(shares, cmap=shade, vmin=0, vmax=1, edgecolors=FAINT, linewidth=0.6)
    axes.invert_yaxis()
    if len(classes) <= MOST_CLASSES:
        for row, col in np.ndindex(table.shape):
            axes.text(col + 0.5, row + 0.5, f"{table[row, col]}", ha="center", va="center")
    places = np.arange(len(classes)) + 0.5
    slant = 0 if sum(map(len, classes)) < 24 else 40
    axes.set_xticks(places, [_short(c) for c in classes], rotation=slant, ha="right" if slant else "center")
    axes.set_yticks(places, [_short(c) for c in classes])
    axes.set(xlabel="guessed", ylabel="true")
    axes.spines[:].set_visible(False)
    return figure


def roc(truth: npt.NDArray[np.int64], chances: Array, classes: list[str]) -> Figure:
    """The curve of the second of two classes, or of each class against the rest."""
    figure, axes = _axes(4.6, 4.2)
    axes.plot([0, 1], [0, 1], color=FAINT, linestyle=(0, (4, 3)), linewidth=1)
    shown = [1] if len(classes) == 2 else range(min(len(classes), len(LINES)))
    for line, place in zip(LINES, shown, strict=False):
        positive = truth == place
        if not positive.any() or positive.all():
            continue
        area = judging.auc(positive, chances[:, place])
        label = f"{_short(classes[place])}: {area:.3f}"
        axes.plot(*_thin(*judging.roc(positive, chances[:, place])), color=line, linewidth=1.6, label=label)
    axes.grid(True)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(frameon=False, loc="lower right", fontsize=9, title="area under the curve", title_fontsize=9)
    return figure


def importances(ranked: list[tuple[str, float]]) -> Figure:
    """The most important features, the first on top."""
    top = ranked[:MOST_BARS][::-1]
    figure, axes = _axes(6.4, 0.9 + 0.27 * len(top))
    axes.barh(range(len(top)), [100 * share for _, share in top], color=FIRST, height=0.68)
    axes.set_yticks(range(len(top)), [_short(name, 34) for name, _ in top])
    axes.set_xlabel("share of the importance, %")
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    return figure


def predicted(truth: Array, guess: Array, target: str) -> Figure:
    """Predicted against true values; on the line they are equal."""
    figure, axes = _axes(4.6, 4.2)
    ends = [float(min(truth.min(), guess.min())), float(max(truth.max(), guess.max()))]
    axes.plot(ends, ends, color=FAINT, linestyle=(0, (4, 3)), linewidth=1)
    axes.scatter(*_every(truth, guess), s=14, color=FIRST, alpha=0.45, linewidths=0)
    axes.grid(True)
    axes.set(xlabel=f"true {_short(target)}", ylabel=f"predicted {_short(target)}")
    return figure


def residuals(truth: Array, guess: Array) -> Figure:
    """How the errors (predicted minus true) are spread."""
    figure, axes = _axes(4.6, 4.2)
    axes.hist(guess - truth, bins=min(40, max(8, len(truth) // 8)), color=FIRST, alpha=0.85)
    axes.axvline(0, color=SECOND, linewidth=1.2)
    axes.grid(True, axis="y")
    axes.set(xlabel="predicted minus true", ylabel="held-out rows")
    return figure


def accuracy_in_time(times: npt.NDArray[np.datetime64], right: npt.NDArray[np.bool_], baseline: float) -> Figure:
    """Accuracy over the held-out time, in twelve spans of equally many bars."""
    figure, axes = _axes(9.6, 3.0)
    order = np.argsort(times, kind="stable")
    spans = [span for span in np.array_split(order, 12) if len(span)]
    middles = np.array([times[span[len(span) // 2]] for span in spans])
    axes.axhline(100 * baseline, color=SECOND, linewidth=1.2, linestyle=(0, (4, 3)), label="always the most common")
    shares = [100 * float(right[span].mean()) for span in spans]
    axes.plot(middles, shares, color=FIRST, linewidth=1.6, marker="o", markersize=4, label="the model")
    axes.grid(True, axis="y")
    axes.set_ylabel("accuracy, %")
    axes.legend(frameon=False, fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0)
    figure.autofmt_xdate(rotation=0, ha="center")
    return figure


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _thin(x: Array, y: Array) -> tuple[Array, Array]:
    keep = np.unique(np.linspace(0, len(x) - 1, 200).astype(int))
    return x[keep], y[keep]


def _every(x: Array, y: Array) -> tuple[Array, Array]:
    keep = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).astype(int))
    return x[keep], y[keep]


def _short(text: str, most: int = 18) -> str:
    text = text.replace("$", r"\$")
    return text if len(text) <= most else text[: most - 1] + "…"
