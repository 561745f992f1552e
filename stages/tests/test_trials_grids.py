"""The search that ships, on grids of real data that are kept in bench/trials/grids (trials.md, 6.3)."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bench" / "trials"))

import kept  # noqa: E402
import replay  # noqa: E402
from ours import Ours  # noqa: E402
from score import Score, score  # noqa: E402

RACE = ROOT / ".build" / "debug" / "race-replay"
NAMES = sorted(path.stem for path in kept.FOLDER.glob("*.npz"))
WORLDS = 5

pytestmark = pytest.mark.skipif(not RACE.is_file(), reason="race-replay is not built: `swift build` first")


def picks(name: str, words: str = "") -> list[Score]:
    grid = kept.kept(name)
    true = replay.truth(grid, grid.data.margin)
    with Ours(f"{RACE} {words}") as ours:
        worlds = [replay.world(grid, grid.data.margin, number) for number in range(WORLDS)]
        return [score(ours(world), true, grid.quality.shape[2]) for world in worlds]


def test_there_are_grids_of_four_data_sets_at_least() -> None:
    assert len(NAMES) >= 4


def test_no_pick_is_wrong_most_cost_little_and_save_most_of_what_can_be_saved() -> None:
    found = [one for name in NAMES for one in picks(name, "relaxed")]
    assert not any(one.wrong for one in found)
    assert np.median([one.cost for one in found]) <= 0.05
    assert np.exp(np.mean(np.log([one.speed for one in found]))) >= 0.85


def test_with_the_guard_no_pick_is_wrong_either() -> None:
    assert not any(one.wrong for name in NAMES for one in picks(name))


def test_too_few_rows_for_a_margin_are_said_to_be() -> None:
    grid = kept.kept("wine")
    assert grid.rows.shape[1] < 200
    with Ours(str(RACE)) as ours:
        answers = [ours.answer(replay.world(grid, 0.005, number)) for number in range(WORLDS)]
    assert {answer["verdict"] for answer in answers} == {"unresolvable"}
    assert all("smallest certifiable margin" in answer["reason"] for answer in answers)
