"""What each granularity of tabular/train costs: CPU seconds of the whole process, imports and all.

    stages/.venv/bin/python bench/stages/train_ratio.py [--rows 200000] [--columns 20] [--repeat 5]

An invented table of two classes (some columns count linearly, some only together, some not at all); the levels take
turns, so that a busy machine troubles them alike. Exits 1 when fine takes more than 60 % of coarse.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

LEVELS = ("coarse", "medium", "fine")
LIMIT = 0.60


def table(rows: int, columns: int) -> pl.DataFrame:
    """Numbers in `columns` columns and a target of two classes."""
    random = np.random.default_rng(1)
    values = random.normal(size=(rows, columns))
    score = values[:, 0] + 0.7 * values[:, 1] - 0.5 * values[:, 2] + 0.8 * values[:, 3] * values[:, 4]
    chance = 1 / (1 + np.exp(-score))
    data = {f"x{i}": values[:, i] for i in range(columns)}
    return pl.DataFrame({**data, "target": (random.random(rows) < chance).astype(np.int64)})


def measure(level: str, path: Path, folder: Path) -> tuple[float, float, float]:
    """CPU seconds, peak memory in MiB and accuracy on the held-out rows of one run."""
    request = {
        "stage": {"name": "train", "granularity": level, "sample": 0.2, "seed": 42, "params": {}},
        "inputs": [{"name": "table", "path": str(path)}],
        "out": str(folder),
    }
    arguments = [sys.executable, "-m", "penstock_stages.tabular.train"]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request).encode())
    process.stdin.close()
    reply = json.loads(process.stdout.read())
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or reply["status"] != "ok":
        raise SystemExit(f"train failed at {level}: {reply}")
    held_out = pl.read_parquet(folder / "predictions.parquet").filter(pl.col("part") == "test")
    right = float((held_out["y_true"] == held_out["y_pred"]).mean() or 0.0)  # type: ignore[arg-type]
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, right


def main() -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="CPU seconds of tabular/train by granularity")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.parquet"
        table(asked.rows, asked.columns).write_parquet(path)
        runs: dict[str, list[tuple[float, float, float]]] = {level: [] for level in LEVELS}
        for _ in range(asked.repeat):
            for level in LEVELS:
                runs[level].append(measure(level, path, Path(folder)))
    medians = {level: [statistics.median(column) for column in zip(*runs[level], strict=True)] for level in LEVELS}
    print(f"tabular/train, {asked.rows} rows x {asked.columns} columns, median of {asked.repeat}")
    print("| granularity | CPU s | of coarse | peak MiB | accuracy |\n|---|---|---|---|---|")
    for level, (seconds, memory, right) in medians.items():
        print(f"| {level} | {seconds:.2f} | {seconds / medians['coarse'][0]:.0%} | {memory:.0f} | {right:.4f} |")
    return 0 if medians["fine"][0] <= LIMIT * medians["coarse"][0] else 1


if __name__ == "__main__":
    sys.exit(main())
