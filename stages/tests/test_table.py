from pathlib import Path

import numpy as np
import polars as pl
import pytest

from penstock_stages.contract import Input, Refusal
from penstock_stages.table import as_numbers_if_text, complexity, read_table


def test_complexity_follows_its_formula() -> None:
    constant = pl.DataFrame({"a": [1.0] * 100})
    assert complexity(constant) == pytest.approx(np.log2(2) / 10 / 4)
    spread = pl.DataFrame({"a": np.arange(1600) / 1.0})
    assert complexity(spread) == pytest.approx((np.log2(2) / 10 + 1) / 4, abs=0.01)
    names = pl.DataFrame({"a": [f"n{i}" for i in range(100)]})
    assert complexity(names) == pytest.approx((np.log2(2) / 10 + 1 + 0 + 1) / 4)


def test_complexity_grows_with_missing_cells_and_width() -> None:
    table = pl.DataFrame({f"x{i}": np.random.default_rng(i).normal(size=500) for i in range(4)})
    holes = table.with_columns(pl.when(pl.int_range(500) % 2 == 0).then(pl.col("x0")).alias("x0"))
    assert complexity(holes) > complexity(table)
    assert 0 <= complexity(table) <= 1
    assert complexity(pl.DataFrame()) == 0


def test_text_counts_as_numbers_when_most_of_it_is() -> None:
    assert as_numbers_if_text(pl.Series(["1", "2", "3", "4", "x"])).dtype == pl.Float64
    assert as_numbers_if_text(pl.Series(["1", "x", "y"])).dtype == pl.String


def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"not parquet at all")
    with pytest.raises(Refusal, match="not a Parquet table") as caught:
        read_table(Input("table", path))
    assert str(tmp_path) not in str(caught.value)
