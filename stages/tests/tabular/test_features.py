from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chain import Chain
from penstock_stages.table import GAP, PART, TEST, TRAIN
from penstock_stages.tabular import generic, series
from penstock_stages.tabular.roles import Roles

DIRECTION = {"validate": {"task": "direction"}}


def prices(count: int = 400, names: tuple[str, ...] = ("A", "B")) -> pl.DataFrame:
    random = np.random.default_rng(5)
    days = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2030, 1, 1), eager=True).head(count)
    frames = [
        pl.DataFrame({"t": days, "s": name, "p": 100 * np.exp(np.cumsum(random.normal(0, 0.01, count)))})
        for name in names
    ]
    return pl.concat(frames)


ROLES = Roles("direction", "", "t", "p", "s")


def test_features_know_nothing_of_the_future() -> None:
    table = prices()
    whole, names = series.make(table, ROLES, 5, 1, lags_only=False)
    cut = table.filter(pl.col("t") < pl.datetime(2020, 10, 1))
    part, _ = series.make(cut, ROLES, 5, 1, lags_only=False)
    same = whole.filter(pl.col("t") <= part["t"].max())
    assert same.height == part.height
    assert np.allclose(same.select(names).to_numpy(), part.select(names).to_numpy())


def test_series_do_not_see_each_other() -> None:
    both, names = series.make(prices(), ROLES, 5, 1, lags_only=False)
    alone, _ = series.make(prices().filter(pl.col("s") == "B"), ROLES, 5, 1, lags_only=False)
    assert np.allclose(both.filter(pl.col("s") == "B").select(names).to_numpy(), alone.select(names).to_numpy())


@pytest.mark.parametrize("horizon", [1, 5])
def test_the_label_is_the_price_later(horizon: int) -> None:
    table = prices(names=("A",))
    made, _ = series.make(table, ROLES, 3, horizon, lags_only=True)
    price = dict(zip(table["t"].to_list(), table["p"].to_list(), strict=True))
    times = table["t"].to_list()
    for time, label in made.select("t", "direction").iter_rows():
        later = times[times.index(time) + horizon]
        assert label == ("up" if price[later] > price[time] else "down")


def test_no_label_of_a_training_row_reaches_into_the_held_out_time() -> None:
    table = prices()
    border = pl.datetime(2020, 11, 1)
    table = table.with_columns(pl.when(pl.col("t") >= border).then(pl.lit(TEST)).otherwise(pl.lit(TRAIN)).alias(PART))
    made, _ = series.make(table, ROLES, 3, 4, lags_only=True)
    assert made[PART].value_counts().sort(PART)["count"].to_list()[0] == 4 * 2
    assert (made.filter(pl.col(PART) == GAP)["t"] < pl.select(border).item()).all()


def test_the_levels_of_a_price_series(chain: Chain, real: Path) -> None:
    counts = {}
    for level in ("coarse", "medium", "fine"):
        reply = chain.run(real / "fx.csv", "features", level, DIRECTION, name=level)
        counts[level] = reply.metrics["columns_out"]
        columns = pl.read_parquet(chain.path("features", "table", level)).columns
        assert ("rsi_14" in columns) == (level == "coarse") or level == "medium"
    assert counts["fine"] < counts["coarse"]
    assert counts["medium"] < counts["coarse"]


def test_direction_without_features_says_why_not(chain: Chain, real: Path) -> None:
    reply = chain.run(real / "fx.csv", "train", {"features": "off", "select": "off"}, DIRECTION)
    assert reply.status == "fail"
    assert "`features` cannot be off" in reply.reason


def test_too_few_bars(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("date,close\n" + "".join(f"2024-01-{d:02},{d}\n" for d in range(1, 29)))
    reply = chain.run(path, "features", params=DIRECTION)
    assert reply.reason == "28 bars leave 7 with a full past and a known future; at least 20 are needed"


def text_table(rows: int = 600) -> tuple[pl.DataFrame, pl.Series]:
    random = np.random.default_rng(2)
    town = random.integers(0, 60, rows)
    table = pl.DataFrame(
        {
            "colour": random.choice(["red", "green", "blue"], rows),
            "town": [f"town {i}" for i in town],
            "id": [f"id {i}" for i in range(rows)],
            "when": pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2030, 1, 1), eager=True).head(rows),
            "x": random.normal(size=rows),
            "y": (town % 2 + 0.1 * random.normal(size=rows)),
        }
    )
    return table, pl.Series(random.random(rows) < 0.8)


def test_text_becomes_numbers() -> None:
    table, fit = text_table()
    coded, _ = generic.encode(table, fit, ("y",), classes=False, most=20, simple=False, seed=1)
    assert coded.columns == [
        "when",
        "x",
        "y",
        "colour = blue",
        "colour = green",
        "colour = red",
        "town frequency",
        "town → mean",
    ]
    assert np.corrcoef(coded["town → mean"], coded["y"])[0, 1] > 0.8


def test_target_means_do_not_see_their_own_row() -> None:
    table, fit = text_table()
    noise = table.with_columns(y=pl.Series(np.random.default_rng(9).normal(size=table.height)))
    coded, _ = generic.encode(noise, fit, ("y",), classes=False, most=20, simple=False, seed=1)
    assert abs(np.corrcoef(coded.filter(fit)["town → mean"], coded.filter(fit)["y"])[0, 1]) < 0.2


def test_held_out_targets_change_no_feature() -> None:
    table, fit = text_table()
    other = table.with_columns(pl.when(fit).then(pl.col("y")).otherwise(99.0).alias("y"))
    first, _ = generic.encode(table, fit, ("y",), classes=False, most=20, simple=False, seed=1)
    second, _ = generic.encode(other, fit, ("y",), classes=False, most=20, simple=False, seed=1)
    assert first.drop("y").equals(second.drop("y"))


def test_times_become_calendar_parts() -> None:
    table, _ = text_table()
    made, count = generic.calendar(table.select("when", "y"), ("y",))
    assert made.columns == ["y", "when year", "when month", "when weekday", "when days"]
    assert count == 4


def test_interactions_are_of_what_matters() -> None:
    random = np.random.default_rng(1)
    table = pl.DataFrame({n: random.normal(size=500) for n in "abcd"}).with_columns(y=pl.col("b") + pl.col("d"))
    made, count = generic.interactions(table, pl.Series([True] * 500), ("y",), classes=False, pairs=1)
    assert count == 2
    assert {"b x d", "d x b"} & set(made.columns)
