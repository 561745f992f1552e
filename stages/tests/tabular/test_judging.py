import numpy as np
import pytest
from sklearn import metrics

from penstock_stages.tabular import judging


@pytest.fixture
def guesses() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 400)
    scores = random.normal(size=(400, 3)).round(1)
    scores[np.arange(400), truth] += 1
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return truth, chances


def test_the_measures_of_classes_are_those_of_scikit_learn(guesses: tuple[np.ndarray, np.ndarray]) -> None:
    truth, chances = guesses
    guess = chances.argmax(axis=1)
    table = judging.confusion(truth, guess, 3)
    assert (table == metrics.confusion_matrix(truth, guess)).all()
    assert judging.per_class(table)[2].mean() == pytest.approx(metrics.f1_score(truth, guess, average="macro"))
    assert judging.log_loss(truth, chances) == pytest.approx(metrics.log_loss(truth, chances))
    assert judging.macro_auc(truth, chances) == pytest.approx(metrics.roc_auc_score(truth, chances, multi_class="ovr"))
    two = (truth > 0).astype(int)
    pair = np.column_stack([chances[:, 0], 1 - chances[:, 0]])
    assert judging.macro_auc(two, pair) == pytest.approx(metrics.roc_auc_score(two, pair[:, 1]))


def test_the_measures_of_numbers_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth, guess = random.normal(size=100), random.normal(size=100)
    found = judging.regression(truth, guess)
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, guess))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(truth, guess))
    assert found["r2"] == pytest.approx(metrics.r2_score(truth, guess))


def test_a_class_that_training_never_saw_counts_as_wrong() -> None:
    truth, chances = np.array([0, -1]), np.array([[0.9, 0.1], [0.9, 0.1]])
    assert judging.confusion(truth, chances.argmax(axis=1), 2).sum() == 1
    assert judging.log_loss(truth, chances) == pytest.approx((-np.log(0.9) - np.log(1e-15)) / 2)


def test_better_needs_more_than_chance() -> None:
    random = np.random.default_rng(0)
    assert judging.better(random.normal(0.0, 1, 100)) == "no better"
    assert judging.better(random.normal(1.0, 1, 100)) == "better"
    assert judging.better(random.normal(-1.0, 1, 100)) == "worse"
    assert judging.better(np.zeros(1)) == "no better"
