"""The folds of a trial: each row judged on once, every arm on the same rows, nothing learned from them."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from chain import AUTO, Chain
from penstock_stages.contract import Input, Request
from penstock_stages.params import Misuse
from penstock_stages.table import FOLD, GAP, KEY, LINE, PART, TEST, TRAIN
from penstock_stages.tabular import folding
from penstock_stages.tabular.features import features
from penstock_stages.tabular.roles import Roles
from penstock_stages.tabular.select import select
from penstock_stages.tabular.train import train
from penstock_stages.trials import Trial

CLASSES = Roles("classification", "target")
PRICES = Roles("direction", "", "t", "p", "s")
ARMS = (
    ("coarse", "coarse", "coarse", "coarse"),
    ("off", "off", "off", "fine"),
    ("medium", "medium", "medium", "medium"),
    ("fine", "fine", "fine", "coarse"),
    ("off", "coarse", "off", "fine"),
)


def fold(number: int, seed: int = 9, folds: int = 5) -> Trial:
    return Trial("t", "", 1, number, folds, seed)


def asked(number: int, seed: int = 9) -> dict[str, Any]:
    return {"id": "t", "arm": "", "block": 1, "fold": number, "folds": 5, "seed": seed}


def judged(table: pl.DataFrame, roles: Roles, seed: int = 9) -> list[set[int]]:
    """By fold the lines judged on."""
    made = [folding.marked(table, roles, fold(k, seed)) for k in range(5)]
    return [set(one.filter(pl.col(PART) == TEST)[LINE].to_list()) for one in made]


def test_each_row_is_judged_on_once_and_learned_from_else(cancer: pl.DataFrame) -> None:
    table = cancer.with_columns(target=pl.when(pl.int_range(pl.len()) % 50 == 0).then(None).otherwise("target"))
    lines = judged(table, CLASSES)
    assert sum(len(one) for one in lines) == table["target"].count()
    assert len(set.union(*lines)) == table["target"].count()
    marked = folding.marked(table, CLASSES, fold(0))
    assert (marked.filter(pl.col("target").is_null())[PART] == GAP).all()
    assert marked.filter(pl.col(PART) == TRAIN).height == table["target"].count() - len(lines[0])


def test_classes_are_spread_evenly(cancer: pl.DataFrame) -> None:
    for k in range(5):
        counts = folding.marked(cancer, CLASSES, fold(k)).filter(pl.col(PART) == TEST)["target"].value_counts()
        assert sorted(counts["count"].to_list()) in ([42, 71], [42, 72], [43, 71], [43, 72])


def test_another_seed_makes_other_folds_and_the_same_seed_the_same(cancer: pl.DataFrame) -> None:
    assert judged(cancer, CLASSES, 1) == judged(cancer, CLASSES, 1)
    assert judged(cancer, CLASSES, 1) != judged(cancer, CLASSES, 2)


def test_folds_hang_on_records_not_on_their_order_or_their_cells(cancer: pl.DataFrame) -> None:
    table = cancer.with_row_index(LINE, offset=1).with_columns(cancer.hash_rows().alias(KEY))
    turned = table.reverse().with_columns(pl.col("mean area") * 2).drop("mean radius")
    assert judged(table, CLASSES) == judged(turned, CLASSES)


def test_equal_records_are_judged_on_together(cancer: pl.DataFrame) -> None:
    twice = pl.concat([cancer, cancer])
    for lines in judged(twice, CLASSES):
        assert {line + cancer.height for line in lines if line <= cancer.height} <= lines


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_groups_stay_whole_and_folds_near_equal(task: Any) -> None:
    random = np.random.default_rng(3)
    table = pl.DataFrame({"who": random.integers(0, 60, 900), "x": random.normal(size=900), "y": [0, 1] * 450})
    roles = Roles(task, "y", group="who")
    sizes = []
    for k in range(5):
        marked = folding.marked(table, roles, fold(k))
        test = marked.filter(pl.col(PART) == TEST)
        assert not set(test["who"]) & set(marked.filter(pl.col(PART) == TRAIN)["who"])
        sizes.append(test.height)
    assert max(sizes) - min(sizes) < 40
    assert sum(sizes) == 900


def bars(count: int = 400) -> pl.DataFrame:
    days = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2030, 1, 1), eager=True).head(count)
    frames = [pl.DataFrame({"t": days, "s": s, "p": 100.0 + np.arange(count) % 7}) for s in ("A", "B")]
    # a third series that begins late
    late = pl.DataFrame({"t": days[count - 60 :], "s": "C", "p": [5.0] * 60})
    return pl.concat([*frames, late])


def test_windows_follow_each_other_and_learn_from_the_past_only() -> None:
    spans, lines = [], set[int]()
    for k in range(5):
        marked = folding.marked(bars(), PRICES, fold(k), horizon=3)
        test, past = (marked.filter(pl.col(PART) == part)["t"] for part in (TEST, TRAIN))
        lines |= set(marked.filter(pl.col(PART) == TEST)[LINE].to_list())
        spans.append((test.min(), test.max()))
        between = bars().filter((pl.col("t") > past.max()) & (pl.col("t") < test.min()))["t"].n_unique()
        assert between == 3
        assert 23 <= test.n_unique() <= 73
    assert all(before[1] < after[0] for before, after in pairwise(spans))  # type: ignore[operator]
    assert lines == {line for line, t in enumerate(bars()["t"], 1) if t >= bars()["t"].unique().sort()[160]}


def test_windows_of_another_seed_begin_elsewhere_and_judge_on_the_same_bars() -> None:
    windows = [judged(bars(), PRICES, seed) for seed in range(8)]
    assert len({min(one[1]) for one in windows}) > 4
    assert all(set.union(*one) == set.union(*windows[0]) for one in windows)
    assert all(sum(map(len, one)) == 2 * 240 + 60 for one in windows)


def test_bars_without_a_full_past_are_not_judged_on() -> None:
    marked = folding.marked(bars(), PRICES, fold(4), warm=20)
    late = marked.filter((pl.col("s") == "C") & (pl.col(PART) == TEST))
    assert late["t"].min() >= bars().filter(pl.col("s") == "C")["t"].sort()[20]


def test_outside_a_trial_nothing_is_marked(cancer: pl.DataFrame) -> None:
    assert folding.marked(cancer, CLASSES, None) is cancer


def test_a_table_of_another_fold_is_refused(cancer: pl.DataFrame) -> None:
    marked = folding.marked(cancer, CLASSES, fold(1))
    assert folding.marked(marked, CLASSES, fold(1)) is marked
    with pytest.raises(Misuse, match="the table is of fold 9/1 of 5, and the trial asks for 9/2 of 5"):
        folding.marked(marked, CLASSES, fold(2))


def spoilt(source: Path, target: Path, price: str = "") -> Path:
    """Real data with a cell in ten gone and one in fifty absurd; of a price series all columns but the time."""
    random = np.random.default_rng(1)
    table = pl.read_csv(source)
    names = [n for n in table.columns if table[n].dtype.is_numeric() and n != "target"]
    for name in names:
        gone = random.random(table.height) < (0.02 if name == price else 0.1)
        absurd = (random.random(table.height) < 0.02) & (name != price)
        values = pl.when(pl.Series(absurd)).then(pl.col(name) * 1000).otherwise(pl.col(name))
        table = table.with_columns(pl.when(pl.Series(gone)).then(None).otherwise(values).alias(name))
    table.write_csv(target)
    return target


@pytest.mark.parametrize(("name", "task"), [("wine", ""), ("diabetes", ""), ("fx", "direction")])
def test_every_arm_is_judged_on_the_same_rows(chain: Chain, real: Path, tmp_path: Path, name: str, task: str) -> None:
    drop = spoilt(real / f"{name}.csv", tmp_path / f"{name}.csv", "close" if task else "")
    params = {"validate": {"task": task or "auto", "min_quality": 0.0}}
    for number in (0, 4):
        found = []
        for place, levels in enumerate(ARMS):
            arm = dict(zip(AUTO, levels, strict=True))
            if task and arm["features"] == "off":
                arm["features"] = "fine"
            run = f"{number}.{place}"
            reply = chain.run(drop, "evaluate", arm, params, name=run, trial=asked(number))
            assert reply.status == "ok", reply.reason
            scores = json.loads(chain.path("evaluate", "row_scores", run).read_text())
            assert scores["rows"] == sorted(set(scores["rows"]))
            assert np.mean(scores["scores"]) == pytest.approx(reply.metrics[scores["metric"]])
            truth = pl.read_parquet(chain.path("train", "predictions", run)).filter(pl.col("part") == TEST)
            found.append((scores["rows"], truth.sort("line")["y_true"].to_list()))
        assert all(one == found[0] for one in found)


@pytest.mark.parametrize("level", ["coarse", "medium", "fine"])
def test_nothing_is_learned_from_the_rows_judged_on(cancer: pl.DataFrame, tmp_path: Path, level: str) -> None:
    site = pl.Series("site", np.random.default_rng(0).integers(0, 40, cancer.height)).cast(pl.String)
    table = folding.marked(cancer.with_columns(site), CLASSES, fold(2))
    turned = pl.when(pl.col("target") == "benign").then(pl.lit("malignant")).otherwise(pl.lit("benign"))
    lies = pl.when(pl.col(PART) == TEST).then(turned).otherwise("target").alias("target")
    found = []
    for name, one in (("true", table), ("lies", table.with_columns(lies))):
        where = tmp_path / name
        where.mkdir()
        one.write_parquet(where / "in.parquet")
        for stage in (features, select, train):
            out = where / stage.__name__
            out.mkdir()
            inputs = (Input("table", where / "in.parquet"),)
            context = {"tabular.task": "classification", "tabular.target": "target"}
            sample = 0.5 if level == "medium" else 1.0
            stage(Request(stage.__name__, level, sample, 42, {}, inputs, context, {"trial": asked(2)}, out=out))
            if stage is not train:
                (out / "table.parquet").replace(where / "in.parquet")
        predicted = pl.read_parquet(where / "train" / "predictions.parquet").drop("y_true")
        found.append(((where / "train" / "model.json").read_bytes(), predicted.to_dict(as_series=False)))
    assert found[0] == found[1]


def test_a_fold_is_the_same_twice_and_draws_nothing(chain: Chain, real: Path) -> None:
    found = []
    for name in ("a", "b"):
        chain.run(real / "wine.csv", "evaluate", "medium", name=name, trial=asked(1))
        files = {stage: reply.outputs for stage, reply in chain.replies.items()}
        found.append([chain.path(s, o, name).read_bytes() for s, outputs in files.items() for o in outputs])
    assert found[0] == found[1]
    assert set(chain.replies["evaluate"].outputs) == {"metrics", "row_scores"}
    assert FOLD in pl.read_parquet(chain.path("features", "table", "a")).columns


def test_a_group_said_once_holds_for_all_stages(chain: Chain, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    who = random.integers(0, 60, 600)
    table = pl.DataFrame({"who": who, "x": random.normal(size=600), "y": who % 2})
    table.write_csv(tmp_path / "g.csv")
    for name, trial in (("trial", asked(0)), ("plain", None)):
        reply = chain.run(tmp_path / "g.csv", "evaluate", params={"validate": {"group": "who"}}, name=name, trial=trial)
        assert reply.status == "ok", reply.reason
        predictions = pl.read_parquet(chain.path("train", "predictions", name))
        parts = predictions.with_columns(who=pl.Series(who)[predictions["line"].to_numpy().astype(int) - 2])
        assert not set(parts.filter(pl.col("part") == TEST)["who"]) & set(parts.filter(pl.col("part") == TRAIN)["who"])
        assert json.loads(chain.path("train", "model_card", name).read_text())["features"][0] == "x"
        assert 100 < parts.filter(pl.col("part") == TEST).height < 140
