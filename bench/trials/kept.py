"""Grids that are kept in the repository, so that every build is tried on real data without the hours of making them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import DataSet
from grid import Grid
from levels import arms

FOLDER = Path(__file__).parent / "grids"


def keep(grid: Grid, folder: Path) -> Path:
    """Writes `folder`/NAME.npz: quality and cost in single precision, scores of rows in half."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{grid.data.name}.npz"
    np.savez_compressed(
        path,
        quality=grid.quality.astype(np.float32),
        cost=grid.cost.astype(np.float32),
        rows=grid.rows.astype(np.float16),
        worked=grid.worked,
        task=grid.data.task,
    )
    return path


def kept(name: str, folder: Path = FOLDER) -> Grid:
    """The grid that was kept under this name. Raises: FileNotFoundError where none is kept."""
    with np.load(folder / f"{name}.npz") as found:
        data = DataSet(name, str(found["task"]))
        quality, cost, rows = (found[part].astype(float) for part in ("quality", "cost", "rows"))
        return Grid(data, arms(data.task), quality, cost, rows, float(found["worked"]))
