import json
from pathlib import Path

import polars as pl
import pytest

from chain import ByHand, Chain
from penstock_stages.table import PART, TEST
from penstock_stages.tabular.celltypes import typed


def fails(chain: Chain, tmp_path: Path, text: str, **params: object) -> str:
    path = tmp_path / "d.csv"
    path.write_text(text)
    reply = chain.run(path, "validate", params={"validate": params})
    assert reply.status == "fail"
    return reply.reason


def rows(header: str, make: str, count: int = 40) -> str:
    return header + "\n" + "\n".join(make.format(i=i, j=i % 2, k=i * 7 % 11) for i in range(count)) + "\n"


def test_three_lines_with_one_bad_column(chain: Chain, tmp_path: Path) -> None:
    reason = fails(chain, tmp_path, "date,close\n2024-01-01,1.5\n2024-01-02,abc\n")
    assert reason == (
        "column `close`: 1 of 2 values is not a number (`abc`, line 3); quality 0.62 is under min_quality 0.80; "
        "2 rows; at least 20 are needed to train a model"
    )


def test_the_line_is_that_of_the_file(chain: Chain, tmp_path: Path) -> None:
    text = "price,y\n\n" + "1.5,0\n" * 30 + "\n" + "cheap,1\n"
    reason = fails(chain, tmp_path, text, min_quality=1)
    assert "column `price`: 1 of 31 values is not a number (`cheap`, line 34)" in reason


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"a": {"type": "number", "min": 5}}, "column `a`: 5 of 40 values are under 5 (`0`, line 2)"),
        ({"a": {"max": 38}}, "column `a`: 1 of 40 values is over 38 (`39`, line 41)"),
        ({"y": {"values": [0]}}, "column `y`: 20 of 40 values are not among the allowed (`1`, line 3)"),
        ({"y": {"unique": True}}, "column `y`: 38 of 40 values are repeats"),
        ({"z": {"required": True}}, "column `z` is required and not there; there are: `a`, `b`, `y`"),
        ({"b": {"type": "date"}}, "column `b`: 40 of 40 values are not dates or times"),
    ],
)
def test_the_rules_of_a_schema(chain: Chain, tmp_path: Path, schema: dict[str, object], words: str) -> None:
    text = rows("a,b,y", "{i},x{k},{j}")
    assert words in fails(chain, tmp_path, text, schema=schema, min_quality=1)


def test_missing_cells_where_a_value_is_required(chain: Chain, tmp_path: Path) -> None:
    text = rows("a,y", "{i},{j}") + ",1\n"
    reason = fails(chain, tmp_path, text, schema={"a": {"required": True}})
    assert reason == "column `a`: 1 of 41 values are missing (first: line 42)"


def test_a_schema_that_makes_no_sense_is_misuse(by_hand: ByHand, tmp_path: Path) -> None:
    pl.DataFrame({"a": ["1"]}).write_parquet(tmp_path / "t.parquet")
    body = {
        "inputs": [{"name": "table", "path": "t.parquet"}],
        "stage": {"params": {"schema": {"a": {"typ": "number"}}}},
    }
    done = by_hand("validate", json.dumps(body))
    assert done.returncode == 2
    assert "unknown rule `typ`" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows("a,y", "{i},7"), "target `y` has one value only (`7`): there is nothing to learn"),
        (rows("a,y", "{i},"), "column `y`: 40 of 40 values are missing; quality 0.71"),
        (rows("y", "{j}"), "the table has one column only (`y`)"),
        (rows("a,name", "{i},n{i}"), "no two classes have two rows or more"),
    ],
)
def test_targets_that_nothing_can_be_learned_from(chain: Chain, tmp_path: Path, text: str, words: str) -> None:
    assert words in fails(chain, tmp_path, text)


def test_a_target_that_is_not_there_names_the_columns(chain: Chain, tmp_path: Path) -> None:
    reason = fails(chain, tmp_path, rows("a,b,y", "{i},{k},{j}"), target="prize")
    assert reason == "the target column `prize` is not in the table; there are: `a`, `b`, `y`"


def test_series_without_a_time_or_a_price_name_the_candidates(chain: Chain, tmp_path: Path) -> None:
    assert "no column has dates or times" in fails(chain, tmp_path, rows("a,b", "{i},{k}"), task="direction")


def test_a_price_that_cannot_be_told_names_the_candidates(chain: Chain, tmp_path: Path) -> None:
    text = "day,a,b\n" + "".join(f"2024-01-{d:02},{d},{d}\n" for d in range(1, 29))
    assert "candidates: `a`, `b`" in fails(chain, tmp_path, text, task="direction")


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "2", " 3 "], "integer", [1, 2, 3]),
        (["1.5", "NA", "-"], "number", [1.5, None, None]),
        (["1,5", "2,25"], "number", [1.5, 2.25]),
        (["1.234,5", "2,25"], "number", [1234.5, 2.25]),
        (["1,234.5", "2,000"], "number", [1234.5, 2000.0]),
        (["1e5", "inf"], "integer", [100000, None]),
        (["99999999999999999999", "1"], "number", [1e20, 1.0]),
        (["00123", "04567"], "string", ["00123", "04567"]),
        (["x", "1", "y"], "string", ["x", "1", "y"]),
        (["", "na"], "string", [None, None]),
    ],
)
def test_types_are_inferred(cells: list[str], kind: str, values: list[object]) -> None:
    found = typed(pl.Series("a", cells))
    assert found.kind == kind
    assert found.values.to_list() == values


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-31", "2024-02-01"],
        ["2024-01-31 00:00:00", "2024-02-01 00:00:00"],
        ["2024-01-31T00:00:00Z", "2024-02-01T00:00:00Z"],
        ["2024-01-31T02:00:00+02:00", "2024-02-01T02:00:00+02:00"],
        ["31.01.2024", "01.02.2024"],
        ["31/01/2024", "01/02/2024"],
        ["01/31/2024", "02/01/2024"],
        ["20240131", "20240201"],
        ["1706659200", "1706745600"],
        ["1706659200000", "1706745600000"],
    ],
)
def test_times_in_many_writings(cells: list[str]) -> None:
    found = typed(pl.Series("date", cells))
    assert [str(v) for v in found.values.to_list()] == ["2024-01-31 00:00:00", "2024-02-01 00:00:00"]


def test_the_split_keeps_classes_and_repeats_together(chain: Chain, real: Path) -> None:
    chain.run(real / "wine.csv", "validate")
    table = pl.read_parquet(chain.path("validate", "table"))
    shares = table.group_by("target").agg((pl.col(PART) == TEST).mean().alias("share"))["share"]
    assert shares.is_between(0.15, 0.25).all()


def test_the_split_of_a_series_is_in_time(chain: Chain, real: Path) -> None:
    chain.run(real / "fx.csv", "validate", params={"validate": {"task": "direction"}})
    table = pl.read_parquet(chain.path("validate", "table")).sort("date")
    assert table[PART].rle().struct.field("value").to_list() == ["train", "test"]


def test_rows_without_a_target_are_kept_out_of_both_parts(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(rows("a,y", "{i},{j}") + "5,\n")
    chain.run(path, "validate")
    table = pl.read_parquet(chain.path("validate", "table"))
    assert table.filter(pl.col("y").is_null())[PART].to_list() == ["gap"]


def test_quality_counts_what_it_says(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(rows("a,y", "{i},{j}", 96) + "0,0\n0,0\n,1\nbad,1\n")
    reply = chain.run(path, "validate")
    quality = json.loads(chain.path("validate", "quality").read_text())
    assert quality["duplicates"] == 2
    assert (quality["missing_cells"], quality["bad_cells"]) == (1, 1)
    validity = ((98 / 99 + 1) / 2 + 98 / 99) / 2
    assert quality["validity"] == pytest.approx(validity, abs=1e-4)
    score = validity * (1 - 1 / 200) ** 0.5 * (1 - quality["duplicates"] / 100) ** 0.5
    assert reply.metrics["quality"] == pytest.approx(score, abs=1e-3)


def test_bars_without_a_price_are_in_neither_part(chain: Chain, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    days = [f"2024-01-{day:02}" for day in range(1, 32)]
    path.write_text(
        "date,close\n" + "".join(f"{d},{'' if i == 4 else 0 if i == 30 else 9}\n" for i, d in enumerate(days))
    )
    chain.run(path, "validate", params={"validate": {"task": "direction"}})
    parts = pl.read_parquet(chain.path("validate", "table"))[PART].to_list()
    assert [i for i, part in enumerate(parts) if part == "gap"] == [4, 30]
