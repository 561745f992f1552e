"""Tables between stages: Parquet files, four columns of our own, and how complex a table is.

`penstock_line` is the line (or row) of the drop a record came from, `penstock_key` the hash of the record as it came,
`penstock_part` says `train`, `test` or `gap` (neither: no target, or too near the border in time), `penstock_fold` which fold of a trial these parts are of.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl

from penstock_stages.contract import Input, Refusal, Request, log, writing

LINE = "penstock_line"
KEY = "penstock_key"
PART = "penstock_part"
FOLD = "penstock_fold"
OWN = (LINE, KEY, PART, FOLD)
TRAIN, TEST, GAP = "train", "test", "gap"
TABLE = "table.parquet"
COMPLEXITY_ROWS = 20_000
BINS = 16


def read_table(source: Input) -> pl.DataFrame:
    """The Parquet file of an input. Raises: `Refusal` when it is none."""
    try:
        return pl.read_parquet(source.path, use_statistics=False)
    except pl.exceptions.PolarsError as error:
        raise Refusal(f"the input `{source.name}` is not a Parquet table: {first_line(error)}") from None


def write_table(request: Request, table: pl.DataFrame, name: str = TABLE) -> str:
    """Writes `table` as the output `name`; returns `name`."""
    with writing(request, name) as draft:
        table.write_parquet(draft, compression="zstd", compression_level=1)
    return name


def facts(request: Request, table: pl.DataFrame, name: str = TABLE) -> dict[str, float]:
    """Rows, bytes and complexity of the table just written, for the reply's `data`."""
    size = Path(request.out / name).stat().st_size
    return {"rows": table.height, "bytes": size, "complexity": round(complexity(table), 4)}


def user_columns(table: pl.DataFrame) -> list[str]:
    """The columns that are data: all but our own."""
    return [name for name in table.columns if name not in OWN]


def numeric_columns(table: pl.DataFrame, without: tuple[str | None, ...] = ()) -> list[str]:
    """Data columns of a numeric or boolean type, except `without`."""
    types = table.schema
    return [
        name
        for name in user_columns(table)
        if name not in without and (types[name].is_numeric() or types[name] == pl.Boolean)
    ]


def train_rows(table: pl.DataFrame) -> pl.Series:
    """Which rows statistics may be fitted on: those of the training part, or all (said in the log) without a split."""
    if PART in table.columns:
        return table[PART] == TRAIN
    log("the table has no split (tabular/validate makes it): statistics are fitted on all rows")
    return pl.repeat(True, table.height, eager=True)


def complexity(table: pl.DataFrame) -> float:
    """How complex a table is, 0..1: the mean of four parts, over at most the first 20,000 rows.

    width       log2(1 + columns) / 10, at most 1 (1,023 columns are 1)
    categories  mean over columns of ln(distinct) / ln(rows) for text that is not a number, 0 for numbers and times
    missing     share of missing cells
    entropy     mean over columns of the Shannon entropy of the values (numbers: of 16 equal bins between the 1st and
                99th percentile), divided by its largest possible value
    """
    head = table.select(user_columns(table)).head(COMPLEXITY_ROWS)
    if head.width == 0 or head.height == 0:
        return 0.0
    width = min(1.0, float(np.log2(1 + head.width)) / 10)
    missing = sum(head.null_count().row(0)) / (head.height * head.width)
    parts = [_column_parts(as_numbers_if_text(head[name])) for name in head.columns]
    categories = float(np.mean([p[0] for p in parts]))
    entropy = float(np.mean([p[1] for p in parts]))
    return float((width + categories + missing + entropy) / 4)


def as_numbers_if_text(column: pl.Series) -> pl.Series:
    """A text column as numbers where at least 8 of 10 present values are numbers, else as it is."""
    if column.dtype != pl.String:
        return column
    numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
    present = column.len() - column.null_count()
    return numbers if present and numbers.len() - numbers.null_count() >= 0.8 * present else column


def first_line(error: object) -> str:
    """The first line of a library's message, without paths."""
    text = str(error).strip() or type(error).__name__
    return re.sub(r"\(?/\S+", "", text.splitlines()[0]).strip()


def _column_parts(column: pl.Series) -> tuple[float, float]:
    present = column.drop_nulls()
    rows = present.len()
    if rows < 2:
        return 0.0, 0.0
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        numbers = present.cast(pl.Float64, strict=False).to_numpy()
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers) < 2:
            return 0.0, 0.0
        low, high = np.percentile(numbers, [1, 99])
        if low == high:
            return 0.0, 0.0
        counts = np.histogram(np.clip(numbers, low, high), bins=BINS)[0]
        return 0.0, _entropy(counts, BINS)
    counts = present.value_counts()["count"].to_numpy()
    if len(counts) < 2:
        return 0.0, 0.0
    share = float(np.log(len(counts)) / np.log(rows)) if column.dtype == pl.String else 0.0
    return min(1.0, share), _entropy(counts, len(counts))


def _entropy(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]], kinds: int) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum() / np.log2(kinds))
