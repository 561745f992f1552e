"""Samples by the hash of the record.

A record is in a sample of fraction f when its own number in [0, 1) is below f (or its rank by that number is, where
groups are kept in proportion). The number depends on the record and the seed alone, never on the fraction, the level,
the order of the rows or the run: a smaller sample is contained in a larger one, and equal records stay together.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from penstock_stages.table import KEY, user_columns

FLOOR = 200
Mask = npt.NDArray[np.bool_]


def record_keys(table: pl.DataFrame) -> pl.Series:
    """The hash of each record (64 bits): as `validate` noted it when the record came, else of the row as it is."""
    if KEY in table.columns:
        return table[KEY]
    data = table.select(user_columns(table))
    return data.hash_rows(seed=0) if data.width else pl.zeros(table.height, pl.UInt64, eager=True)


def unit_hash(table: pl.DataFrame, seed: int) -> npt.NDArray[np.float64]:
    """One number in [0, 1) for each row of `table`, equal for equal rows."""
    return numbers(record_keys(table), seed)


def group_keys(table: pl.DataFrame, group: str) -> pl.Series:
    """One hash for all rows of a group; rows without a value are each by themselves."""
    named = table.select(pl.col(group).cast(pl.String)).hash_rows(seed=0)
    return pl.select(pl.when(table[group].is_null()).then(record_keys(table)).otherwise(named)).to_series()


def numbers(keys: pl.Series, seed: int) -> npt.NDArray[np.float64]:
    """One number in [0, 1) for each 64-bit key, by the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    state = keys.to_numpy() ^ np.uint64(seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    state = state ^ (state >> np.uint64(31))
    return np.asarray((state >> np.uint64(11)).astype(np.float64) / 2.0**53)


def by_hash(table: pl.DataFrame, fraction: float, seed: int, floor: int = FLOOR) -> Mask:
    """The rows with the lowest hashes: a `fraction` of them, but at least `floor` where there are so many."""
    return _lowest(unit_hash(table, seed), _count(table.height, fraction, floor))


def stratified(
    table: pl.DataFrame, groups: pl.Series, fraction: float, seed: int, floor: int = FLOOR, least: int = 1
) -> Mask:
    """As `by_hash` within each value of `groups`, so that every group keeps its share (`least` rows at least)."""
    hashes = unit_hash(table, seed)
    fraction = max(fraction, min(1.0, floor / max(1, table.height)))
    mask = np.zeros(table.height, dtype=bool)
    codes = groups.cast(pl.String).fill_null("").rank("dense").to_numpy()
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        mask[rows] = _lowest(hashes[rows], _count(len(rows), fraction, least))
    return mask


def by_group(table: pl.DataFrame, group: str, fraction: float, seed: int) -> Mask:
    """Whole groups with the lowest hashes: about a `fraction` of the rows, one group at least."""
    _, place, counts = np.unique(numbers(group_keys(table, group), seed), return_inverse=True, return_counts=True)
    before = np.cumsum(counts) - counts
    return np.asarray((before + counts / 2 < fraction * table.height) | (before == 0))[place]


def recent(order: npt.NDArray[np.int64], fraction: float, floor: int = FLOOR) -> Mask:
    """The latest rows: `order` gives each row its place in time. For series, where the past ages."""
    count = _count(len(order), fraction, floor)
    mask = np.zeros(len(order), dtype=bool)
    if count:
        mask[np.argsort(order, kind="stable")[-count:]] = True
    return mask


def _count(rows: int, fraction: float, floor: int) -> int:
    return min(rows, max(int(np.ceil(rows * fraction - 1e-9)), floor))


def _lowest(hashes: npt.NDArray[np.float64], count: int) -> Mask:
    mask = np.zeros(len(hashes), dtype=bool)
    mask[np.argsort(hashes, kind="stable")[:count]] = True
    return mask
