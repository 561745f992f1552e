import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from chain import Chain
from penstock_stages.contract import Input, Refusal, Reply, Request
from penstock_stages.params import Misuse
from penstock_stages.tabular import matrix
from penstock_stages.tabular.linear import fit_logistic, fit_ridge
from penstock_stages.tabular.train import train


def run(table: pl.DataFrame, tmp_path: Path, level: str = "coarse", seed: int = 42, **params: object) -> Reply:
    table.write_parquet(tmp_path / "in.parquet")
    inputs = (Input("table", tmp_path / "in.parquet"),)
    sample = 0.5 if level == "medium" else 1.0
    return train(Request("train", level, sample, seed, params, inputs, out=tmp_path))


@pytest.mark.parametrize("level", ["coarse", "medium", "fine"])
def test_the_same_input_and_seed_give_the_same_bytes(cancer: pl.DataFrame, tmp_path: Path, level: str) -> None:
    found = []
    for _ in range(2):
        reply = run(cancer, tmp_path, level)
        found.append([(tmp_path / p).read_bytes() for p in reply.outputs.values()] + [json.dumps(reply.to_json())])
    assert found[0] == found[1]


def test_another_seed_holds_out_other_rows(cancer: pl.DataFrame, tmp_path: Path) -> None:
    lines = []
    for seed in (1, 2):
        run(cancer, tmp_path, "fine", seed)
        held_out = pl.read_parquet(tmp_path / "predictions.parquet").filter(pl.col("part") == "test")
        lines.append(set(held_out["line"].to_list()))
    assert lines[0] != lines[1]


def test_every_level_is_judged_on_the_same_rows(cancer: pl.DataFrame, tmp_path: Path) -> None:
    lines = []
    for level in ("coarse", "medium", "fine"):
        run(cancer, tmp_path, level)
        lines.append(
            pl.read_parquet(tmp_path / "predictions.parquet").filter(pl.col("part") == "test")["line"].to_list()
        )
    assert lines[0] == lines[1] == lines[2]


def test_medium_learns_from_a_sample(cancer: pl.DataFrame, tmp_path: Path) -> None:
    run(cancer, tmp_path, "medium")
    split = json.loads((tmp_path / "model_card.json").read_text())["split"]
    assert split["used_rows"] == pytest.approx(split["train_rows"] / 2, abs=2)


def test_fine_does_not_import_xgboost(cancer: pl.DataFrame, tmp_path: Path) -> None:
    cancer.write_parquet(tmp_path / "in.parquet")
    code = (
        "import sys; from pathlib import Path; from penstock_stages.contract import *; "
        "from penstock_stages.tabular.train import train; "
        "train(Request('train', 'fine', inputs=(Input('table', Path('in.parquet')),))); "
        "sys.exit(bool({'xgboost', 'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


@pytest.mark.parametrize("model", ["blended", "boosted"])
def test_the_model_can_be_read_back(cancer: pl.DataFrame, tmp_path: Path, model: str) -> None:
    import xgboost as xgb

    run(cancer, tmp_path, model=model)
    card = json.loads((tmp_path / "model_card.json").read_text())
    body = json.loads((tmp_path / "model.json").read_text())
    booster = xgb.Booster()
    booster.load_model(bytearray(json.dumps(body.get("boosted", body)).encode()))
    predictions = pl.read_parquet(tmp_path / "predictions.parquet")
    rows = predictions["line"].to_numpy() - 1
    columns = matrix.values(cancer, card["features"])[rows]
    again = booster.inplace_predict(columns)
    if model == "blended":
        linear = body["linear"]
        x = (columns - np.array(linear["mean"])) / np.array(linear["scale"])
        straight = 1 / (1 + np.exp(-(x @ np.array(linear["weights"]) + np.array(linear["intercept"]))[:, 0]))
        assert body["share"] == card["settings"]["share_of_trees"]
        again = body["share"] * again + (1 - body["share"]) * straight
    assert np.allclose(again, predictions["p malignant"].to_numpy(), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_agrees_with_scikit_learn(real: Path, cancer: pl.DataFrame, classes: int) -> None:
    table = cancer if classes == 2 else pl.read_csv(real / "wine.csv")
    columns = table.drop("target").to_numpy().astype(float)
    codes = table["target"].rank("dense").to_numpy().astype(np.int64) - 1
    ours = fit_logistic(columns, codes, classes)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    theirs = LogisticRegression(C=1.0, max_iter=5000, tol=1e-8).fit(scaled, codes)
    assert np.allclose(ours.predict(columns), theirs.predict_proba(scaled), atol=2e-3)


def test_ridge_finds_the_line_through_noise() -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(500, 5))
    target = columns @ np.array([1.0, -2.0, 0, 0, 3]) + 7 + 0.1 * random.normal(size=500)
    model = fit_ridge(columns, target)
    assert np.allclose(model.predict(columns), target, atol=0.5)
    assert model.intercept[0] == pytest.approx(target.mean())


def test_ridge_bears_repeated_and_constant_columns_and_holes() -> None:
    random = np.random.default_rng(0)
    base = random.normal(size=(100, 2))
    columns = np.column_stack([base, base, np.ones(100), np.full(100, np.nan)])
    columns[3, 0] = np.nan
    model = fit_ridge(columns, base[:, 0])
    assert np.isfinite(model.predict(columns)).all()


def test_models_that_do_not_suit_the_task(cancer: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="logistic is for classes"):
        run(cancer, tmp_path, task="regression", target="mean area", model="logistic")
    with pytest.raises(Misuse, match="one of auto, blended, boosted, linear, ridge, logistic"):
        run(cancer, tmp_path, model="forest")
    with pytest.raises(Refusal, match="`target` is not a number, which regression needs"):
        run(cancer, tmp_path, task="regression")


def test_ridge_for_classes_is_logistic(cancer: pl.DataFrame, tmp_path: Path) -> None:
    run(cancer, tmp_path, model="ridge")
    assert json.loads((tmp_path / "model_card.json").read_text())["algorithm"] == "logistic regression"


def test_text_alone_cannot_be_learned_from(tmp_path: Path) -> None:
    table = pl.DataFrame({"a": ["x", "y"] * 30, "target": ["u", "v"] * 30})
    with pytest.raises(Refusal, match="no numeric column is left"):
        run(table, tmp_path)


def test_folds_of_a_series_never_learn_from_later_bars(chain: Chain, real: Path) -> None:
    chain.run(real / "fx.csv", "features", params={"validate": {"task": "direction"}})
    table = pl.read_parquet(chain.path("features", "table"))
    from penstock_stages.tabular.roles import Roles

    roles = Roles("direction", "direction", "date", "close")
    (learn, judge), *_ = matrix.folds(table, roles, np.arange(table.height), 42, 3, 2)
    times = table["date"].to_numpy()
    between = np.unique(times[(times > times[learn].max()) & (times < times[judge].min())])
    assert len(between) == 2
