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
SPOILT = "+out"
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
    plain = FEWER.sub("", text.removesuffix(SPOILT))
    if plain in TASKS:
        return DataSet(text, TASKS[plain])
    path, *rest = text.split(":")
    if not rest or rest[0] not in set(TASKS.values()) or not Path(path).is_file():
        raise SystemExit(
            f"no data set `{text}`; there are {', '.join(TASKS)}, those with @ROWS, {SPOILT}, and FILE.csv:TASK"
        )
    rest += [""] * (3 - len(rest))
    return DataSet(Path(path).stem, rest[0], path, rest[1], rest[2])


def write(data: DataSet, folder: Path) -> Path:
    """The data set as CSV below `folder`; written once."""
    target = folder / f"{data.name}.csv"
    if target.is_file():
        return target
    plain = FEWER.sub("", data.name.removesuffix(SPOILT))
    draft = folder / "draft.csv"
    if data.source:
        draft.write_bytes(Path(data.source).read_bytes())
    elif plain == "fx":
        draft.write_bytes((ROOT / "samples" / "fx-synthetic.csv").read_bytes())
    else:
        subprocess.run([sys.executable, ROOT / "samples" / "export.py", plain, draft], check=True, capture_output=True)
    if fewer := FEWER.search(data.name):
        pl.read_csv(draft).sample(int(fewer[1]), shuffle=True, seed=1).write_csv(draft)
    if data.name.endswith(SPOILT):
        _spoil(draft)
    draft.replace(target)
    return target


def _spoil(path: Path) -> None:
    """One cell in thirty is a hundredfold (a wrong unit), one in twenty is missing; the target stays."""
    random = np.random.default_rng(1)
    table = pl.read_csv(path)
    for name in [n for n in table.columns if table[n].dtype.is_numeric() and n != "target"]:
        wrong, gone = random.random(table.height) < 1 / 30, random.random(table.height) < 1 / 20
        values = pl.when(pl.Series(wrong)).then(pl.col(name) * 100.0).otherwise(pl.col(name))
        table = table.with_columns(pl.when(pl.Series(gone)).then(None).otherwise(values).alias(name))
    table.write_csv(path)
