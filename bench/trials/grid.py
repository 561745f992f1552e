"""The grid of a data set: every arm on every fold of every block, kept fold by fold so that it goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets import ROOT, DataSet, write
from fold import Chain
from levels import KIT, ORDER, Arm, arms, levels, words

FOLDS = 5
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """`quality` and `cost` are arms x blocks x folds, NaN where an arm failed; `rows` arms x rows, means over the blocks."""

    data: DataSet
    arms: list[Arm]
    quality: Array
    cost: Array
    rows: Array
    worked: float
    """CPU seconds that making the grid took, with what arms share worked once."""
    more: tuple[str, ...] = ()
    """Stages that wider.py made up."""

    def stages(self) -> dict[str, list[str]]:
        """By auto stage its levels."""
        return {**levels(self.data.task), **{name: list(ORDER) for name in self.more}}

    def words(self, arm: int) -> str:
        """An arm as `penstock trials` writes it: what is not coarse."""
        return words(self.arms[arm], self.stages())


def make(data: DataSet, blocks: int, jobs: int, cache: Path) -> Grid:
    """The grid with `blocks` blocks; what is in `cache` already is not worked again."""
    folder = cache / f"{data.name}-{digest(data)}"
    folder.mkdir(parents=True, exist_ok=True)
    drop = write(data, folder)
    wanted = [(block, fold) for block in range(blocks) for fold in range(FOLDS)]
    todo = [unit for unit in wanted if not _path(folder, *unit).is_file()]
    if todo:
        _work(data, drop, folder, todo, jobs)
    return _read(data, folder, blocks)


def seed_of(data: DataSet, block: int) -> int:
    """The split seed of a block: 63 bits of a hash."""
    return int.from_bytes(hashlib.sha256(f"{data.name}/{block}".encode()).digest()[:8]) >> 1


def _work(data: DataSet, drop: Path, folder: Path, todo: list[tuple[int, int]], jobs: int) -> None:
    began, cpu = time.monotonic(), 0.0
    context = multiprocessing.get_context("spawn")  # numeric libraries hang in forks
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        calls = [pool.submit(_fold, data, drop, folder, unit) for unit in todo]
        for done, call in enumerate(as_completed(calls), 1):
            cpu += call.result()
            rest = (time.monotonic() - began) / done * (len(calls) - done)
            print(f"{data.name}: {done} of {len(calls)} folds, {cpu:.0f} CPU s, {rest:.0f} s to go", file=sys.stderr)


def _fold(data: DataSet, drop: Path, folder: Path, unit: tuple[int, int]) -> float:
    """Works one fold for all arms; returns its CPU seconds."""
    block, fold = unit
    trial = {"id": "bench", "arm": "", "block": block, "fold": fold, "folds": FOLDS, "seed": seed_of(data, block)}
    found: dict[str, Any] = {"quality": [], "cost": [], "rows": [], "scores": []}
    work = Path(tempfile.mkdtemp(prefix="penstock-grid-"))
    try:
        chain = Chain(drop, data.task, work, data.group, data.target)
        with contextlib.redirect_stderr(io.StringIO()):
            for arm in arms(data.task):
                _arm(chain, arm, trial, data.metric, found)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    found["worked"] = chain.worked
    path = _path(folder, block, fold)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(found), encoding="utf-8")
    draft.replace(path)
    return chain.worked


def _arm(chain: Chain, arm: Arm, trial: dict[str, Any], metric: str, found: dict[str, Any]) -> None:
    before = chain.worked
    try:
        state = chain.arm(arm, trial)
    except RuntimeError:
        found["quality"].append(None)
        found["cost"].append(chain.worked - before)
        found["scores"].append(None)
        return
    source = next(i for i in state.inputs if i.name == "row_scores")
    body = json.loads(source.path.read_text(encoding="utf-8"))
    found["rows"] = found["rows"] or body["rows"]
    if found["rows"] != body["rows"]:
        raise SystemExit(f"arm {arm} was judged on other rows than the arms before it")
    found["quality"].append(state.reply.metrics[metric])
    found["cost"].append(round(state.seconds, 6))
    found["scores"].append([round(score, 5) for score in body["scores"]])


def _read(data: DataSet, folder: Path, blocks: int) -> Grid:
    units = [[json.loads(_path(folder, b, f).read_text(encoding="utf-8")) for f in range(FOLDS)] for b in range(blocks)]

    def shaped(name: str) -> Array:
        cells = np.array([[fold[name] for fold in block] for block in units], dtype=float)
        return np.moveaxis(cells, 2, 0)

    flat = [fold for block in units for fold in block]
    lines = sorted({line for fold in flat for line in fold["rows"]})
    place = {line: i for i, line in enumerate(lines)}
    count = len(arms(data.task))
    total, seen = np.zeros((count, len(lines))), np.zeros(len(lines))
    for fold in flat:
        at = [place[line] for line in fold["rows"]]
        seen[at] += 1
        total[:, at] += np.array([scores or [np.nan] * len(at) for scores in fold["scores"]], dtype=float)
    worked = sum(float(fold["worked"]) for fold in flat)
    return Grid(data, arms(data.task), shaped("quality"), shaped("cost"), total / seen, worked)


def _path(folder: Path, block: int, fold: int) -> Path:
    return folder / f"b{block:02}f{fold}.json"


def digest(data: DataSet) -> str:
    """Of the kit's sources, its requirements and the data set: what a grid hangs on."""
    found = hashlib.sha256(repr(data).encode())
    files = sorted((KIT / "src").rglob("*.py")) + sorted((KIT / "tabular").glob("*.yaml")) + [KIT / "requirements.txt"]
    for file in [*files, ROOT / "samples" / "fx-synthetic.csv"]:
        found.update(file.read_bytes())
    if data.source:
        found.update(Path(data.source).read_bytes())
    return found.hexdigest()[:12]
