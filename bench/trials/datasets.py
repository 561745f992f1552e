"""The data sets of the bench: those that scikit-learn carries, spoilt variants, the sample series, or a file of one's own."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[2]
TASKS = {
    "breast_cancer": "classification",
    "diabetes": "regression",
    "digits": "classification",
    "fx": "direction",
    "wine": "classification",
}
SPOILT = {"+out": (1 / 30, 1 / 20), "+some": (1 / 100, 1 / 50), "+few": (1 / 300, 1 / 100)}
"""By suffix the share of cells that are a hundredfold, and of those that are missing."""
FEWER = re.compile(r"@([0-9]+)")


@dataclass(frozen=True)
class DataSet:
    """A name for files and tables, the task, and the parameters that `validate` gets."""

    name: str
    task: str
    source: str = ""
    target: str = ""
    group: str = ""

    @property
    def metric(self) -> str:
        """The metric a trial of this task goes by."""
        return "r2" if self.task == "regression" else "accuracy"

    @property
    def margin(self) -> float:
        """The default margin, in units of the metric."""
        return 0.02 if self.task == "regression" else 0.01


def named(text: str) -> DataSet:
    """`wine`, `wine+out`, `digits@600`, or `FILE.csv:TASK[:TARGET[:GROUP]]`. Raises: SystemExit with what there is."""
    plain = _plain(text)
    if plain in TASKS:
        return DataSet(text, TASKS[plain])
    path, *rest = text.split(":")
    if not rest or rest[0] not in set(TASKS.values()) or not Path(path).is_file():
        raise SystemExit(
            f"no data set `{text}`; there are {', '.join(TASKS)}, those with @ROWS, {', '.join(SPOILT)}, and FILE.csv:TASK"
        )
    rest += [""] * (3 - len(rest))
    return DataSet(Path(path).stem, rest[0], path, rest[1], rest[2])


def write(data: DataSet, folder: Path) -> Path:
    """The data set as CSV below `folder`; written once."""
    target = folder / f"{data.name}.csv"
    if target.is_file():
        return target
    plain = _plain(data.name)
    draft = folder / "draft.csv"
    if data.source:
        draft.write_bytes(Path(data.source).read_bytes())
    elif plain == "fx":
        draft.write_bytes((ROOT / "samples" / "fx-synthetic.csv").read_bytes())
    else:
        subprocess.run([sys.executable, ROOT / "samples" / "export.py", plain, draft], check=True, capture_output=True)
    if fewer := FEWER.search(data.name):
        pl.read_csv(draft).sample(int(fewer[1]), shuffle=True, seed=1).write_csv(draft)
    for suffix, (wrong, gone) in SPOILT.items():
        if data.name.endswith(suffix):
            _spoil(draft, wrong, gone)
    draft.replace(target)
    return target


def _plain(text: str) -> str:
    for suffix in SPOILT:
        text = text.removesuffix(suffix)
    return FEWER.sub("", text)


def _spoil(path: Path, wrong: float, gone: float) -> None:
    """So many cells are a hundredfold (a wrong unit), so many are missing; the target stays."""
    random = np.random.default_rng(1)
    table = pl.read_csv(path)
    for name in [n for n in table.columns if table[n].dtype.is_numeric() and n != "target"]:
        hit, lost = random.random(table.height) < wrong, random.random(table.height) < gone
        values = pl.when(pl.Series(hit)).then(pl.col(name) * 100.0).otherwise(pl.col(name))
        table = table.with_columns(pl.when(pl.Series(lost)).then(None).otherwise(values).alias(name))
    table.write_csv(path)
