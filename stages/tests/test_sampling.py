from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from penstock_stages import sampling
from penstock_stages.table import KEY


@pytest.fixture
def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    return pl.DataFrame({"a": random.normal(size=5000), "b": random.integers(0, 9, 5000).astype(str)})


FRACTIONS = (0.05, 0.1, 0.2, 0.5, 0.9, 1.0)


@pytest.mark.parametrize("seed", [0, 42, -3, 2**63])
def test_a_smaller_sample_is_contained_in_a_larger_one(table: pl.DataFrame, seed: int) -> None:
    masks = [sampling.by_hash(table, f, seed) for f in FRACTIONS]
    masks_by_class = [sampling.stratified(table, table["b"], f, seed) for f in FRACTIONS]
    order = np.arange(table.height)
    recent = [sampling.recent(order, f) for f in FRACTIONS]
    for nested in (masks, masks_by_class, recent):
        for small, large in pairwise(nested):
            assert not (small & ~large).any()
        assert nested[-1].all()


def test_the_share_is_as_asked(table: pl.DataFrame) -> None:
    assert sampling.by_hash(table, 0.2, 42).sum() == 1000
    kept = table.filter(pl.Series(sampling.stratified(table, table["b"], 0.2, 42)))
    for value, count in table["b"].value_counts().iter_rows():
        assert kept.filter(pl.col("b") == value).height == int(np.ceil(count * 0.2))


def test_the_order_of_the_rows_does_not_matter(table: pl.DataFrame) -> None:
    shuffled = table.sample(fraction=1, shuffle=True, seed=3)
    first = table.filter(pl.Series(sampling.by_hash(table, 0.2, 42)))
    second = shuffled.filter(pl.Series(sampling.by_hash(shuffled, 0.2, 42)))
    assert first.sort("a").equals(second.sort("a"))


def test_the_seed_chooses_another_sample(table: pl.DataFrame) -> None:
    a, b = sampling.by_hash(table, 0.2, 1), sampling.by_hash(table, 0.2, 2)
    assert 100 < (a & b).sum() < 320


def test_equal_records_stay_together(table: pl.DataFrame) -> None:
    twice = pl.concat([table, table])
    numbers = sampling.unit_hash(twice, 42)
    assert (numbers[: table.height] == numbers[table.height :]).all()


def test_a_small_table_is_not_sampled_to_nothing(table: pl.DataFrame) -> None:
    assert sampling.by_hash(table.head(300), 0.1, 42).sum() == sampling.FLOOR
    assert sampling.by_hash(table.head(50), 0.1, 42).all()


def test_the_key_of_the_record_outlives_changes_to_it(table: pl.DataFrame) -> None:
    keyed = table.with_columns(sampling.record_keys(table).alias(KEY))
    changed = keyed.with_columns(pl.col("a") * 2)
    assert (sampling.by_hash(keyed, 0.2, 42) == sampling.by_hash(changed, 0.2, 42)).all()


def test_groups_are_sampled_whole_and_alike_in_any_order() -> None:
    who = np.random.default_rng(0).integers(0, 50, 1000)
    table = pl.DataFrame({"who": pl.Series(who).set(pl.Series(who == 7), None), "x": np.arange(1000)})
    kept = sampling.by_group(table, "who", 0.3, 5)
    assert 0.25 < kept.mean() < 0.35
    with_who = table.with_columns(kept=pl.Series(kept)).filter(pl.col("who").is_not_null())
    assert with_who.group_by("who").agg(pl.col("kept").n_unique())["kept"].max() == 1
    # rows without a group are each by themselves
    alone = kept[table["who"].is_null().to_numpy()]
    assert alone.any()
    assert not alone.all()
    assert np.array_equal(sampling.by_group(table.reverse(), "who", 0.3, 5)[::-1], kept)


def test_the_hash_is_the_same_today_as_ever() -> None:
    """Another polars may hash otherwise: then samples change, which belongs into the changelog."""
    table = pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    assert sampling.record_keys(table).to_list() == [9167753779012864705, 14202449628211851092]
