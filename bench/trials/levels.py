"""The chain of base/tabular, the levels of its auto stages as the manifests have them, and the arms these make."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import yaml

KIT = Path(__file__).resolve().parents[2] / "stages"
CHAIN = ("ingest", "validate", "clean", "features", "select", "train", "evaluate")
AUTO = ("clean", "features", "select", "train")
ORDER = ("coarse", "medium", "fine", "off")
Arm = tuple[str, ...]


def levels(task: str) -> dict[str, list[str]]:
    """By auto stage its levels, coarse first; what a task cannot have is left out."""
    found = {}
    for stage in AUTO:
        body = yaml.safe_load((KIT / "tabular" / f"{stage}.yaml").read_text(encoding="utf-8"))
        # a plain `off` is false to YAML 1.1
        stated = {"off" if level is False else level for level in body["granularity"]}
        found[stage] = [level for level in ORDER if level in stated]
    if task == "direction":
        # its label is made there
        found["features"].remove("off")
    return found


def arms(task: str) -> list[Arm]:
    """Every assignment of levels, the one that is all coarse first."""
    return list(product(*levels(task).values()))


def words(arm: Arm, stages: Iterable[str] = AUTO) -> str:
    """An arm as `penstock trials` writes it: what is not coarse."""
    named = [f"{stage}={level}" for stage, level in zip(stages, arm, strict=True) if level != "coarse"]
    return " ".join(named) or "coarse"
