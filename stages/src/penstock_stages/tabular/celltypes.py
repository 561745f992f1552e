"""From text to types: what a column of text holds, and the cells that do not fit.

Numbers may be written `1234.5`, `1,234.5`, `1234,5` or `1.234,5`, one way per column; times in ISO 8601 and the common
national orders, or as seconds or milliseconds since 1970 or YYYYMMDD in a column that is called date or time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from penstock_stages.tabular.roles import PRICE_NAMES, TIME_NAMES, plain

Kind = Literal["number", "integer", "string", "boolean", "date"]
MISSING = ("", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", ".")
MOSTLY = 0.8
FEW_ROWS = 20
TRUTHS = {"true": True, "yes": True, "t": True, "1": True, "false": False, "no": False, "f": False, "0": False}
TIME_FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%Y-%m",
)


@dataclass(frozen=True)
class Typed:
    """A column with its type; `bad` marks the cells that are there but do not fit (null in `values`)."""

    values: pl.Series
    kind: Kind
    bad: pl.Series
    raw: pl.Series


def typed(column: pl.Series, asked: Kind | None = None) -> Typed:
    """`column` as the type `asked`, or as what most of its cells are. Columns that are not text keep their type."""
    if column.dtype != pl.String:
        return _native(column, asked)
    text = _present(column)
    present = text.len() - text.null_count()
    if asked == "string" or (asked is None and present == 0):
        return _typed(text, text, "string")
    if asked == "boolean":
        truth = text.str.to_lowercase().replace_strict(TRUTHS, default=None, return_dtype=pl.Boolean)
        return _typed(truth, text, "boolean")
    if asked == "date":
        return _typed(_times(text, named=True), text, "date")
    numbers = _numbers(text)
    if asked in ("number", "integer"):
        return _as_number(numbers, text, whole=asked == "integer")
    enough = 0.5 if present <= FEW_ROWS or _sounds_numeric(column.name) else MOSTLY
    named_time = any(word in TIME_NAMES for word in plain(column.name).split())
    times = _times(text, named_time)
    if _count(times) >= enough * present and _count(times) >= _count(numbers) * (1 if named_time else 1.01):
        return _typed(times, text, "date")
    if _count(numbers) >= enough * present and not _is_code(text, present):
        return _as_number(numbers, text, whole=False)
    return _typed(text, text, "string")


def _native(column: pl.Series, asked: Kind | None) -> Typed:
    if column.dtype.is_float():
        finite = column.set(column.is_infinite() | column.is_nan(), None)
        return Typed(finite, "number", column.is_infinite() & column.is_not_null(), column)
    if asked == "string":
        return _typed(column.cast(pl.String), column, "string")
    kind: Kind = "string"
    if column.dtype.is_numeric():
        kind = "number"
        column = column.cast(pl.Float64) if column.dtype.is_decimal() else column
    elif column.dtype.is_temporal():
        kind = "date"
    elif column.dtype == pl.Boolean:
        kind = "boolean"
    return Typed(column, kind, pl.repeat(False, column.len(), eager=True), column)


def _present(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(MISSING), None)


def _typed(values: pl.Series, text: pl.Series, kind: Kind) -> Typed:
    return Typed(values.alias(text.name), kind, values.is_null() & text.is_not_null(), text)


def _as_number(numbers: pl.Series, text: pl.Series, whole: bool) -> Typed:
    if whole:
        numbers = numbers.set((numbers != numbers.round()).fill_null(False), None)
    result = _typed(numbers, text, "number")
    exact = bool(((numbers == numbers.round()) & (numbers.abs() < 2**53)).all())
    if exact and _count(numbers):
        return Typed(result.values.cast(pl.Int64), "integer", result.bad, text)
    return result


def _numbers(text: pl.Series) -> pl.Series:
    """The writing that reads most cells; infinities are not numbers."""
    plainly = text.cast(pl.Float64, strict=False)
    best = plainly
    if _count(plainly) < text.len() - text.null_count():
        grouped = text.str.contains(r"^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$")
        english = text.set(grouped, None).zip_with(~grouped.fill_null(False), text.str.replace_all(",", ""))
        comma = text.str.contains(r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$|^[+-]?\d*,\d+([eE][+-]?\d+)?$")
        european = text.zip_with(
            ~comma.fill_null(False), text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        )
        for written in (english, european):
            numbers = written.cast(pl.Float64, strict=False)
            if _count(numbers) > _count(best):
                best = numbers
    return best.set((best.is_infinite() | best.is_nan()).fill_null(False), None)


def _times(text: pl.Series, named: bool) -> pl.Series:
    """The format that reads most cells, as times without a zone (UTC where they had one)."""
    present = text.len() - text.null_count()
    nothing = pl.Series(text.name, [None], dtype=pl.Datetime("us")).extend_constant(None, max(0, text.len() - 1))
    best = nothing.head(text.len())
    if present == 0:
        return best
    probe = text.drop_nulls().head(200)
    for form in TIME_FORMATS:
        if not _count(_parse(probe, form)) and probe.len() == 200:
            continue
        times = _parse(text, form)
        if _count(times) > _count(best):
            best = times
        if _count(best) == present:
            return best
    if named and _count(best) == 0:
        best = _numeric_times(text)
    return best


def _parse(text: pl.Series, form: str) -> pl.Series:
    if form == "%Y-%m":
        return (text + "-01").str.to_datetime("%Y-%m-%d", strict=False, time_unit="us")
    if "H" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    times = text.str.to_datetime(form, strict=False, time_unit="us")
    zone = getattr(times.dtype, "time_zone", None)
    return times.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else times


def _numeric_times(text: pl.Series) -> pl.Series:
    days = text.str.to_date("%Y%m%d", strict=False).cast(pl.Datetime("us"))
    numbers = text.cast(pl.Float64, strict=False)
    median = numbers.median()
    if _count(days) >= _count(numbers) * MOSTLY and text.str.len_chars().max() == 8:
        return days
    if not isinstance(median, float) or not 1e8 <= median < 1e17:
        return days.set(pl.repeat(True, days.len(), eager=True), None)
    to_us = next(scale for limit, scale in ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0)) if median < limit)
    return (numbers * to_us).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))


def _sounds_numeric(name: str) -> bool:
    return any(known in plain(name) for known in (*PRICE_NAMES, "open", "high", "low", "volume", "amount"))


def _is_code(text: pl.Series, present: int) -> bool:
    """Leading zeros, as in postal codes: such a column is names, not quantities."""
    return int(text.str.contains(r"^0\d+$").sum()) >= 0.1 * present


def _count(column: pl.Series) -> int:
    return column.len() - column.null_count()
