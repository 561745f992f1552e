"""What the tests share: a directory to work in, real data, and a runner that does what the engine does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from sklearn import datasets

from chain import ByHand, Chain, Wrong

KIT = Path(__file__).parents[1]


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scikit-learn's real data as CSV, and the synthetic price series."""
    folder = tmp_path_factory.mktemp("real")
    export = KIT.parent / "samples" / "export.py"
    for name in ("breast_cancer", "diabetes", "wine"):
        subprocess.run([sys.executable, export, name, folder / f"{name}.csv"], check=True, capture_output=True)
    os.link(KIT.parent / "samples" / "fx-synthetic.csv", folder / "fx.csv")
    return folder


@pytest.fixture(scope="session")
def cancer() -> pl.DataFrame:
    data = datasets.load_breast_cancer()
    table = pl.DataFrame(data.data, schema=[str(name) for name in data.feature_names])
    return table.with_columns(target=pl.Series(data.target_names[data.target]))


@pytest.fixture
def by_hand(tmp_path: Path) -> ByHand:
    """Runs a stage as a program, with what is written to its stdin."""

    def run(stage: str, stdin: str) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-m", f"penstock_stages.tabular.{stage}"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        return subprocess.run(
            arguments, input=stdin, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )

    return run


@pytest.fixture
def wrong(by_hand: ByHand) -> Wrong:
    """The reason that a stage gives for refusing a request."""

    def run(stage: str, body: object) -> str:
        done = by_hand(stage, json.dumps(body))
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.strip()

    return run
