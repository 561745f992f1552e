"""Select: the features worth learning from, judged on the training part only.

  coarse  what shuffling a column costs a boosted model on rows it has not seen, over 3 folds (permutation importance)
  medium  the same on a sample of the training rows
  fine    the simplified algorithm: the F test of each column by itself
Outputs: `table` with the columns kept, `selection` (JSON: every column with its score).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from penstock_stages import contract
from penstock_stages.contract import Reply, Request, log
from penstock_stages.params import at_least, read_params
from penstock_stages.table import TABLE, facts, read_table, write_table
from penstock_stages.tabular import folding, matrix
from penstock_stages.tabular.roles import Task, find_roles
from penstock_stages.tabular.scores import f_scores

FOREST_ROUNDS = 40
JUDGE_ROWS = 10_000
F_LIMIT = 3.84
"""The 95 % point of F with 1 and many degrees of freedom."""


@dataclass(frozen=True)
class Params:
    """`max_features` 0 is no limit; at least `min_features` are kept, the best ones, whatever their score."""

    task: Task = "auto"
    target: str = ""
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""
    max_features: int = 0
    min_features: int = 3
    horizon: int = 1


def select(request: Request) -> Reply:
    """Keeps what matters. Raises: `Refusal` when there is nothing numeric to choose from."""
    params = read_params(Params, request.params)
    at_least("max_features", params.max_features, 0)
    at_least("min_features", params.min_features, 1)
    source = request.required("table")
    table = read_table(source)
    roles = find_roles(table, params, request.context)
    horizon = int(request.context.get("tabular.horizon") or params.horizon)
    table = folding.marked(table, roles, request.trial, horizon)
    names = matrix.candidates(table, roles)
    parts = matrix.split(table, roles, request.seed, horizon)
    rows = matrix.in_time(table, roles, matrix.sampled(table, roles, parts.train, request.sample, request.seed))
    columns = matrix.values(table, names)
    if roles.task == "regression":
        classes, target = 0, table[roles.target].cast(pl.Float64).to_numpy()
    else:
        kinds, codes = matrix.class_codes(table[roles.target], rows)
        classes, target = len(kinds), codes.astype(float)
    if request.granularity == "fine":
        scores, limit = f_scores(columns[rows], target[rows], classes > 0), F_LIMIT
    else:
        folds = matrix.folds(table, roles, rows, request.seed, 3, horizon)
        scores, limit = _permutation(columns, target, classes, folds, request.seed), 0.0
    kept = _kept(names, scores, limit, params)
    log(f"kept {len(kept)} of {len(names)} columns, judged on {len(rows)} rows")
    _write(request, source, table, names, kept)
    ranked = sorted(zip(names, scores.tolist(), strict=True), key=lambda pair: -pair[1])
    selection = [{"feature": n, "score": round(s, 6), "kept": n in kept} for n, s in ranked]
    return Reply(
        outputs={"table": TABLE, "selection": contract.write_json(request, "selection.json", selection)},
        metrics={"features_in": len(names), "features_kept": len(kept), "fit_rows": len(rows)},
        data=facts(request, table.select([n for n in table.columns if n not in names or n in kept])),
        context={**roles.to_context(), "tabular.level.select": request.granularity},
    )


def _permutation(
    columns: matrix.Array, target: matrix.Array, classes: int, folds: list[tuple[matrix.Rows, matrix.Rows]], seed: int
) -> matrix.Array:
    """The mean rise of the loss over the folds, less its standard error where there are several."""
    from penstock_stages.tabular.boosted import quick_forest

    random = np.random.default_rng(seed)
    rises = []
    for learn, judge in folds:
        if len(learn) == 0 or len(judge) == 0:
            continue
        forest = quick_forest(columns, target, classes, learn, FOREST_ROUNDS, seed % 2**31)
        seen, wanted = columns[judge[:JUDGE_ROWS]], target[judge[:JUDGE_ROWS]]
        whole = _loss(forest.predict(seen), wanted, classes)
        used = forest.importances([""] * columns.shape[1]) > 0
        rise = np.zeros(columns.shape[1])
        for place in np.flatnonzero(used):
            shuffled = seen.copy()
            shuffled[:, place] = random.permutation(shuffled[:, place])
            rise[place] = _loss(forest.predict(shuffled), wanted, classes) - whole
        rises.append(rise)
    return np.asarray(np.mean(rises, axis=0)) if rises else np.zeros(columns.shape[1])


def _loss(predicted: matrix.Array, wanted: matrix.Array, classes: int) -> float:
    if classes == 0:
        return float(((predicted - wanted) ** 2).mean())
    known = wanted >= 0
    chance = predicted[known, wanted[known].astype(int)]
    return float(-np.log(np.clip(chance, 1e-9, 1)).mean())


def _kept(names: list[str], scores: matrix.Array, limit: float, params: Params) -> set[str]:
    order = np.argsort(-scores, kind="stable")
    worthy = int((scores > limit).sum())
    count = max(worthy, min(params.min_features, len(names)))
    if params.max_features:
        count = min(count, params.max_features)
    return {names[i] for i in order[:count]}


def _write(request: Request, source: contract.Input, table: pl.DataFrame, names: list[str], kept: set[str]) -> None:
    if len(kept) == len(names) and request.trial is None:
        contract.link_on(request, source, TABLE)
    else:
        write_table(request, table.drop([name for name in names if name not in kept]))


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(select)


if __name__ == "__main__":
    main()
