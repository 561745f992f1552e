"""What stands on the report's page: plain values for the template, and figures made fit to stand inside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape

STAGES = ("ingest", "validate", "clean", "features", "select", "train", "evaluate")
GLOSS = {
    "coarse": "in full",
    "medium": "on sampled data",
    "fine": "simplified algorithm",
    "off": "bypassed",
}
COLOURS = {"#1b2733": "ink", "#c9d1d9": "line", "#fdfefe": "paper", "#1f6f8b": "first", "#c8641b": "second"}
TITLES = {
    "confusion": ("Where it is right and wrong", "Rows of the held-out part by true class and guessed class."),
    "roc": ("How well it ranks", "The further the curve is from the diagonal, the better the probabilities rank."),
    "in_time": ("Accuracy over time", "The held-out time in twelve spans of equally many bars."),
    "predicted": ("Predicted against true", "Held-out rows; on the dashed line the prediction is exact."),
    "residuals": ("Errors", "Predicted minus true on the held-out rows; centred on zero is good."),
}
MEASURES = {
    "accuracy": ("Accuracy", "share of rows guessed right"),
    "baseline_accuracy": ("Accuracy of guessing", "always the most common class of the training rows"),
    "f1": ("F1", "precision and recall in one, mean over the classes"),
    "roc_auc": ("ROC AUC", "0.5 is chance, 1 ranks every row right"),
    "log_loss": ("Log loss", "lower is better; punishes confident mistakes"),
    "rmse": ("RMSE", "typical error, in units of the target"),
    "baseline_rmse": ("RMSE of guessing", "always the mean of the training rows"),
    "mae": ("MAE", "mean absolute error, in units of the target"),
    "r2": ("R²", "share of the variation explained; 0 is guessing the mean"),
}
QUALITY_PARTS = {
    "validity": "cells that fit their column's type and rules",
    "completeness": "cells that are not missing",
    "uniqueness": "records that do not repeat an earlier one",
}


@dataclass(frozen=True)
class Level:
    """A stage and the granularity it ran at."""

    stage: str
    level: str
    gloss: str


@dataclass(frozen=True)
class Picture:
    """A figure: SVG that may stand inside HTML, with a heading and a line of explanation."""

    name: str
    title: str
    caption: str
    svg: str


def levels(context: Mapping[str, Any]) -> list[Level]:
    """Each stage with its granularity; one that left no word was bypassed or is not in the pipeline."""
    found = []
    for stage in STAGES:
        level = str(context.get(f"tabular.level.{stage}") or "off")
        gloss = GLOSS.get(level, "")
        found.append(Level(stage, level, gloss if level != "off" else "bypassed, or not in this pipeline"))
    return found


def picture(name: str, svg: str) -> Picture:
    """The figure as part of a page: no prolog, no metadata, ids of its own, colours that follow the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    for colour, variable in COLOURS.items():
        svg = re.sub(colour, f"var(--{variable})", svg, flags=re.IGNORECASE)
    # text without a colour of its own would stay black on a dark page
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{TITLES[name][0]}" fill="var(--ink)"', 1)
    title, caption = TITLES[name]
    return Picture(name, title, caption, svg)


def number(value: object) -> str:
    """A number for a reader: thousands apart, four significant digits for fractions."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (abs(value) >= 1000 and value == int(value)):
        return f"{int(value):,}".replace(",", "\u202f")
    if value == 0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 1e-4:
        return f"{value:.3g}"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.1f}".replace(",", "\u202f")


def ticked(text: str) -> Markup:
    """A sentence with its `names` as code, everything escaped."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 (escaped first)


def size(count: object) -> str:
    """Bytes in the unit a reader would choose."""
    value = float(count) if isinstance(count, int | float) else 0.0
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return ""


def started(run: Mapping[str, Any]) -> str:
    """When the run was made, read from its time-ordered id (UUID version 7); empty for another id."""
    text = str(run.get("id") or "").replace("-", "")
    if not re.fullmatch(r"[0-9a-fA-F]{12}7[0-9a-fA-F]{19}", text):
        return ""
    return datetime.fromtimestamp(int(text[:12], 16) / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
