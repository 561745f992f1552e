from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chain import Chain
from penstock_stages.contract import Input, Request
from penstock_stages.table import PART, TABLE
from penstock_stages.tabular.clean import clean

CONTEXT = {"tabular.task": "classification", "tabular.target": "target"}


def run(
    table: pl.DataFrame, tmp_path: Path, level: str = "coarse", context: dict[str, str] = CONTEXT, **params: object
) -> pl.DataFrame:
    table.write_parquet(tmp_path / "in.parquet")
    sample = 0.5 if level == "medium" else 1.0
    inputs = (Input("table", tmp_path / "in.parquet"),)
    clean(Request("clean", level, sample, 42, params, inputs, context, out=tmp_path))
    return pl.read_parquet(tmp_path / TABLE)


def highest(table: pl.DataFrame) -> float:
    return float(table["x"].to_numpy().max())


@pytest.fixture
def holes(cancer: pl.DataFrame) -> pl.DataFrame:
    """Real data with a tenth of the cells gone, a text column, and a split."""
    random = np.random.default_rng(0)
    gone = [
        pl.when(pl.Series(random.random(cancer.height) > 0.1)).then(pl.col(n)).alias(n) for n in cancer.columns[:-1]
    ]
    site = pl.Series("site", random.choice(["a", "b"], cancer.height))
    part = pl.Series(PART, np.where(random.random(cancer.height) < 0.8, "train", "test"))
    site = site.set(pl.Series(random.random(cancer.height) < 0.1), None)
    return cancer.with_columns(gone).with_columns(site, part)


@pytest.mark.parametrize("level", ["coarse", "medium", "fine"])
def test_everything_is_filled_and_rows_and_target_stay(holes: pl.DataFrame, tmp_path: Path, level: str) -> None:
    cleaned = run(holes, tmp_path, level)
    assert sum(cleaned.null_count().row(0)) == 0
    assert cleaned["target"].equals(holes["target"])
    assert cleaned.columns == holes.columns
    assert cleaned[PART].equals(holes[PART])


def test_estimates_from_other_columns_are_nearer_than_the_median(
    cancer: pl.DataFrame, holes: pl.DataFrame, tmp_path: Path
) -> None:
    name = "mean radius"
    gone = holes[name].is_null()
    truth = cancer.filter(gone)[name].to_numpy()
    filled = [run(holes, tmp_path, level).filter(gone)[name].to_numpy() for level in ("coarse", "fine")]
    errors = [np.abs(values - truth).mean() for values in filled]
    assert errors[0] < 0.3 * errors[1]


@pytest.mark.parametrize("level", ["coarse", "medium", "fine"])
def test_nothing_is_learned_from_the_held_out_rows(holes: pl.DataFrame, tmp_path: Path, level: str) -> None:
    absurd = holes.with_columns(pl.when(pl.col(PART) == "test").then(pl.col("mean area") * 1e6).otherwise("mean area"))
    train = pl.col(PART) == "train"
    assert run(holes, tmp_path, level).filter(train).equals(run(absurd, tmp_path, level).filter(train))


def test_outliers_are_drawn_in_and_may_be_left(tmp_path: Path) -> None:
    values = [float(i % 10) for i in range(200)] + [1e9]
    table = pl.DataFrame({"x": values, "target": ["a", "b", "c"] * 67, PART: ["train"] * 201})
    assert highest(run(table, tmp_path)) < 100
    assert highest(run(table, tmp_path, "fine")) <= 10
    assert highest(run(table, tmp_path, outliers=False)) == 1e9


def test_prices_are_carried_forward_and_never_cut(tmp_path: Path) -> None:
    days = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 3, 10), eager=True)
    price: list[float | None] = [100.0 + i for i in range(days.len())]
    price[10], price[20], price[30] = None, 0.0, 900.0
    context = {"tabular.task": "direction", "tabular.time": "t", "tabular.price": "p"}
    cleaned = run(pl.DataFrame({"t": days, "p": price}), tmp_path, context=context)
    assert cleaned["p"][9:11].to_list() == [109.0, 109.0]
    assert cleaned["p"][20] == 119.0
    assert cleaned["p"][30] == 900.0


def test_an_unknown_target_is_refused_in_words(chain: Chain, real: Path) -> None:
    reply = chain.run(real / "wine.csv", "clean", params={"clean": {"target": "nope"}})
    assert reply.status == "fail"
    assert "`nope` is not in the table; there are:" in reply.reason
