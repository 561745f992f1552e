import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from penstock_stages.contract import Input, Reply, Request
from penstock_stages.table import TABLE
from penstock_stages.tabular.scores import f_scores
from penstock_stages.tabular.select import select


def run(table: pl.DataFrame, tmp_path: Path, level: str = "coarse", **params: object) -> Reply:
    table.write_parquet(tmp_path / "in.parquet")
    out = tmp_path / level
    out.mkdir(exist_ok=True)
    sample = 0.3 if level == "medium" else 1.0
    return select(Request("select", level, sample, 42, params, (Input("table", tmp_path / "in.parquet"),), out=out))


@pytest.fixture
def noisy(cancer: pl.DataFrame) -> pl.DataFrame:
    random = np.random.default_rng(0)
    return cancer.with_columns(pl.Series(f"noise {i}", random.normal(size=cancer.height)) for i in range(20))


@pytest.mark.parametrize("level", ["coarse", "medium", "fine"])
def test_noise_goes_first(noisy: pl.DataFrame, tmp_path: Path, level: str) -> None:
    run(noisy, tmp_path, level)
    ranked = [row["feature"] for row in json.loads((tmp_path / level / "selection.json").read_text())]
    assert not any(name.startswith("noise") for name in ranked[:5])
    kept = pl.read_parquet(tmp_path / level / TABLE).columns
    assert sum(name.startswith("noise") for name in kept) < 12
    assert "target" in kept


def test_limits(noisy: pl.DataFrame, tmp_path: Path) -> None:
    assert run(noisy, tmp_path, "fine", max_features=4).metrics["features_kept"] == 4
    noise = noisy.select("target", *(f"noise {i}" for i in range(20)))
    assert run(noise, tmp_path, "fine", min_features=7).metrics["features_kept"] >= 7


def test_a_table_that_is_kept_whole_is_passed_on_as_it_is(cancer: pl.DataFrame, tmp_path: Path) -> None:
    run(cancer, tmp_path, "fine", min_features=1000)
    assert (tmp_path / "fine" / TABLE).stat().st_ino == (tmp_path / "in.parquet").stat().st_ino


def test_f_scores_are_those_of_scikit_learn(cancer: pl.DataFrame) -> None:
    from sklearn.feature_selection import f_classif, f_regression

    columns = cancer.drop("target").to_numpy()
    classes = cancer["target"].to_numpy()
    assert np.allclose(f_scores(columns, classes, classes=True), f_classif(columns, classes)[0])
    number = columns[:, 0]
    assert np.allclose(f_scores(columns[:, 1:], number, classes=False), f_regression(columns[:, 1:], number)[0])
