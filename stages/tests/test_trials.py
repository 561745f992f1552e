"""What a request says of its trial."""

import pytest

from penstock_stages.contract import Request
from penstock_stages.params import Misuse
from penstock_stages.trials import trial_of

TRIAL = {"id": "t1", "arm": "clean=medium", "block": 3, "fold": 2, "folds": 5, "seed": 123456789}


def test_a_trial_is_read() -> None:
    trial = Request("train", run={"trial": TRIAL}).trial
    assert trial is not None
    assert (trial.arm, trial.block, trial.fold, trial.folds, trial.seed) == ("clean=medium", 3, 2, 5, 123456789)


@pytest.mark.parametrize("run", [{}, {"trial": None}])
def test_a_run_outside_trials_has_none(run: dict[str, object]) -> None:
    assert Request("train", run=run).trial is None


def test_the_name_of_a_fold_is_that_of_all_arms_and_of_no_other_fold() -> None:
    first = trial_of({"trial": TRIAL})
    other_arm = trial_of({"trial": TRIAL | {"arm": "train=fine", "block": 4, "id": "t2"}})
    other_fold = trial_of({"trial": TRIAL | {"fold": 1}})
    other_seed = trial_of({"trial": TRIAL | {"seed": 1}})
    assert first is not None
    assert other_arm is not None
    assert other_fold is not None
    assert other_seed is not None
    assert first.name == other_arm.name
    assert len({first.name, other_fold.name, other_seed.name}) == 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fold": 5}, "fold 5 of 5; folds count from 0"),
        ({"fold": -1}, "fold -1 of 5"),
        ({"folds": 1, "fold": 0}, "fold 0 of 1"),
        ({"seed": "12"}, "`run.trial.seed` is `12`; it is a whole number"),
        ({"seed": None}, "`run.trial.seed` is `None`"),
        ({"block": True}, "`run.trial.block` is `True`"),
    ],
)
def test_a_wrong_trial_is_a_misuse_in_words(change: dict[str, object], words: str) -> None:
    with pytest.raises(Misuse) as raised:
        trial_of({"trial": TRIAL | change})
    assert words in str(raised.value)


def test_a_trial_that_is_no_object_is_a_misuse() -> None:
    with pytest.raises(Misuse, match=r"`run\.trial` is no object"):
        trial_of({"trial": "t1"})
