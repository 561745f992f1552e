import numpy as np
import pytest

from penstock_stages.tabular.blended import fit_blended


@pytest.mark.parametrize(("kind", "share"), [("straight", 0.0), ("corners", 1.0)])
def test_the_model_that_suits_the_data_counts_most(kind: str, share: float) -> None:
    random = np.random.default_rng(0)
    columns = random.normal(size=(900, 3))
    straight = columns @ np.array([1.0, -2.0, 0.5])
    corners = 3.0 * (columns[:, 0] > 0) * (columns[:, 1] > 0) - 3.0 * (columns[:, 2] > 1)
    target = (straight if kind == "straight" else corners) + 0.1 * random.normal(size=900)
    rows = np.arange(600)
    folds = [(rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3)]
    model = fit_blended(columns, target, 0, rows, folds, 1, 1)
    assert abs(model.share - share) <= 0.25
    error = [float(((guess - target)[600:] ** 2).mean()) for guess in (model.predict(columns), np.zeros(900))]
    assert error[0] < 0.1 * error[1]
