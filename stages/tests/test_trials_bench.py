"""bench/trials: worlds have the mean and the spread of their grid, and methods are told apart by what they spend."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).parents[2] / "bench" / "trials"
sys.path.insert(0, str(BENCH))

import grid  # noqa: E402
import levels  # noqa: E402
import methods  # noqa: E402
import replay  # noqa: E402
import score  # noqa: E402
import wider  # noqa: E402
from datasets import DataSet, named, write  # noqa: E402
from fold import Chain  # noqa: E402
from ours import Ours  # noqa: E402

WINE = DataSet("wine", "classification")


def made(noise: float = 0.004, seed: int = 0) -> grid.Grid:
    """192 arms; each level below coarse costs less, `train=fine` loses five margins, `select=off` a third of one."""
    random = np.random.default_rng(seed)
    arms = levels.arms("classification")
    saved = {"coarse": 1.0, "medium": 0.6, "fine": 0.5, "off": 0.4}
    cost = np.array([sum(saved[level] for level in arm) for arm in arms])
    loss = np.array([0.05 * (arm[3] == "fine") + 0.003 * (arm[2] == "off") for arm in arms])
    shared = random.normal(0, 0.01, (1, 10, 5))
    quality = 0.9 - loss[:, None, None] + shared + random.normal(0, noise, (len(arms), 10, 5))
    return grid.Grid(WINE, arms, quality, np.broadcast_to(cost[:, None, None], quality.shape), np.ones((192, 7)), 1.0)


def test_there_are_as_many_arms_as_the_manifests_allow() -> None:
    assert len(levels.arms("classification")) == 4 * 4 * 4 * 3
    assert made().words(0) == "coarse"
    assert len(levels.arms("direction")) == 4 * 3 * 4 * 3


def test_a_world_has_the_mean_and_the_spread_of_its_grid() -> None:
    one = made()
    drawn = np.concatenate([replay.world(one, 0.01, n).quality for n in range(40)], axis=1).mean(axis=2)
    was = one.quality.mean(axis=2)
    assert np.allclose(drawn.mean(axis=1), was.mean(axis=1), atol=0.002)
    ratio = drawn.std(axis=1).mean() / was.std(axis=1, ddof=1).mean()
    assert ratio == pytest.approx(1, abs=0.1)
    # differences between arms stay far smaller than blocks differ
    assert (drawn[1] - drawn[0]).std() < 0.7 * drawn[0].std()


def test_the_same_number_is_the_same_world() -> None:
    assert np.array_equal(replay.world(made(), 0.01, 3).quality, replay.world(made(), 0.01, 3).quality)
    assert not np.array_equal(replay.world(made(), 0.01, 3).quality, replay.world(made(), 0.01, 4).quality)


def test_the_truth_knows_the_half_oracle_what_is_wrong_and_what_is_missed() -> None:
    one = made(noise=0)
    true = replay.truth(one, 0.01)
    assert one.words(true.oracle) == "clean=off features=off select=off train=medium"
    cheapest = one.arms.index(("off", "off", "off", "fine"))
    assert true.wrong(cheapest)
    assert true.regret(cheapest) == 1.0
    assert true.regret(0) == 1.0
    assert true.regret(true.oracle) == 0.0
    assert true.speed(true.oracle) == pytest.approx(4 / 1.8)


def test_an_arm_that_failed_is_the_worst() -> None:
    one = made()
    quality = one.quality.copy()
    quality[5, 0, 0] = np.nan
    failed = dataclasses.replace(one, quality=quality)
    assert replay.truth(failed, 0.01).loss[5] > replay.truth(one, 0.01).loss[5]
    assert json.loads(replay.world(failed, 0.01, 0).to_json())["arms"][0] == ["coarse"] * 4


def test_without_noise_the_exhaustive_grid_finds_the_half_oracle_at_its_whole_price() -> None:
    one = made(noise=0)
    true = replay.truth(one, 0.01)
    for judge in (methods.by_mean, methods.by_t_test):
        found = score.score(methods.exhaustive(judge)(replay.world(one, 0.01, 0)), true, 5)
        assert (found.wrong, found.regret) == (False, 0.0)
        assert found.cost == pytest.approx(1)


def test_what_is_looked_at_twice_is_paid_for_once() -> None:
    purse = methods.Purse(replay.world(made(), 0.01, 0))
    purse.losses(3, range(2))
    before = sum(purse.paid.values())
    purse.losses(3, range(2))
    assert sum(purse.paid.values()) == before
    assert len(purse.paid) == 4


def test_cheaper_methods_look_at_less() -> None:
    world, true = replay.world(made(), 0.01, 1), replay.truth(made(), 0.01)
    searched = score.score(methods.random_search(32, 5, methods.by_mean)(world), true, 5)
    halved = score.score(methods.halving(world), true, 5)
    assert 0.05 < searched.cost < 0.15
    assert 0.1 < halved.cost < 0.4


def test_optuna_looks_at_no_more_than_it_was_given() -> None:
    pytest.importorskip("optuna")
    pick = methods.tpe(12, 3, methods.by_mean)(replay.world(made(), 0.01, 1))
    assert 0 < pick.cost <= 13 * 3 * 5 * 4.0


ANSWERS = """
import json, sys
for line in sys.stdin:
    world = json.loads(line)
    print(json.dumps({"picked": ANSWER, "cost": sum(map(sum, world["cost"][0])), "folds": 1, "verdict": "promote"}), flush=True)
"""


def program(tmp_path: Path, answer: str) -> str:
    path = tmp_path / "race.py"
    path.write_text(ANSWERS.replace("ANSWER", answer))
    return f"{sys.executable} {path}"


def test_a_program_reads_worlds_and_answers(tmp_path: Path) -> None:
    with Ours(program(tmp_path, "len(world['arms']) - 1 - world['world']")) as ours:
        picks = [ours(replay.world(made(), 0.01, n)) for n in range(3)]
    assert [pick.arm for pick in picks] == [191, 190, 189]
    assert picks[0].cost == pytest.approx(4.0 * 5 * (replay.SCREEN + replay.BLOCKS))


def test_a_program_that_answers_nonsense_is_named(tmp_path: Path) -> None:
    with Ours(program(tmp_path, "500")) as ours, pytest.raises(SystemExit, match="picked arm 500 of 192"):
        ours(replay.world(made(), 0.01, 0))
    with (
        Ours(f"{sys.executable} -c pass") as ours,
        pytest.raises(SystemExit, match="ended with 0 instead of an answer"),
    ):
        ours(replay.world(made(), 0.01, 0))


def test_data_sets_are_named_or_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("a,b\n1,2\n")
    assert named(f"{path}:regression:b") == DataSet("own", "regression", str(path), "b")
    with pytest.raises(SystemExit, match="no data set `iris`; there are breast_cancer"):
        named("iris")
    assert write(named("wine@90"), tmp_path).read_text().count("\n") == 91
    assert write(named("wine+out"), tmp_path).read_text().count(",,") > 50


def test_arms_pay_for_what_they_share_as_if_they_were_alone(tmp_path: Path) -> None:
    chain = Chain(write(WINE, tmp_path), "classification", tmp_path / "work")
    trial = {"id": "t", "arm": "", "block": 0, "fold": 1, "folds": 5, "seed": 7}
    first = chain.arm(("fine", "fine", "fine", "fine"), trial)
    before = chain.worked
    second = chain.arm(("fine", "fine", "off", "fine"), trial)
    assert second.seconds > chain.worked - before
    assert chain.worked < first.seconds + second.seconds
    again = chain.worked
    assert chain.arm(("fine", "fine", "fine", "fine"), trial).seconds == first.seconds
    assert chain.worked == again


def test_a_fold_that_is_there_is_not_worked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = [("fine", "fine", "fine", "fine"), ("off", "off", "off", "fine")]
    monkeypatch.setattr(grid, "arms", lambda _: few)
    calls = []

    def work(data: DataSet, drop: Path, folder: Path, todo: list[tuple[int, int]], _: int) -> None:
        calls.append(todo)
        for unit in todo:
            grid._fold(data, drop, folder, unit)

    monkeypatch.setattr(grid, "_work", work)
    one = grid.make(WINE, 1, 1, tmp_path)
    folder = next(tmp_path.iterdir())
    (folder / "b00f3.json").unlink()
    two = grid.make(WINE, 1, 1, tmp_path)
    assert calls == [[(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)], [(0, 3)]]
    assert np.array_equal(one.quality, two.quality)
    assert one.rows.shape == (2, 178)
    assert one.rows[0].mean() == pytest.approx(one.quality[0].mean(), abs=0.01)


def test_a_wider_grid_has_the_old_one_in_it_and_the_changes_of_a_real_stage() -> None:
    one = made()
    wide = wider.widen(one, 1)
    assert len(wide.arms) == 4 * len(one.arms)
    assert list(wide.stages()) == [*one.stages(), "more1"]
    assert np.allclose(wide.quality[::4], one.quality)
    assert wide.words(1) == "more1=medium"
    assert wide.cost.min() > 0
    # the same change for every arm, its mean that of a level of one stage
    change = wide.quality[1::4] - one.quality
    assert np.allclose(change, change[0])
    means = []
    for place, (_, found) in enumerate(one.stages().items()):
        coarse = one.quality[[arm[place] == "coarse" for arm in one.arms]].mean()
        means += [one.quality[[arm[place] == level for arm in one.arms]].mean() - coarse for level in found]
    assert np.abs(np.array(means) - change.mean()).min() < 1e-9
