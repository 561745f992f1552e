"""Validate: types, ranges, missing values and duplicates; a score; and the split that all later stages share.

Score: quality = validity * sqrt(completeness) * sqrt(uniqueness), each part 0..1:
  validity      half the mean over columns of the share of present cells that fit, half the worst column's share
  completeness  share of cells that are present
  uniqueness    share of records that are not repeats of an earlier one
Outputs: `table` (Parquet, typed), `quality` (JSON).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from penstock_stages import contract, sampling
from penstock_stages.contract import Refusal, Reply, Request, log
from penstock_stages.params import at_least, read_params
from penstock_stages.table import GAP, KEY, LINE, PART, TEST, TRAIN, facts, read_table, user_columns, write_table
from penstock_stages.tabular import rules
from penstock_stages.tabular.celltypes import typed
from penstock_stages.tabular.roles import Roles, Task, find_roles, plain, target_problem

QUOTED_PROBLEMS = 3


@dataclass(frozen=True)
class Params:
    """`schema`: column -> {type, min, max, required, unique, values}; `test_size`: the share that is held out."""

    task: Task = "auto"
    target: str = ""
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""
    schema: dict[str, Any] = field(default_factory=dict)
    min_quality: float = 0.8
    min_rows: int = 20
    test_size: float = 0.2


def validate(request: Request) -> Reply:
    """Types and checks the table. Raises: `Refusal` naming column, value and line of what is wrong."""
    params = read_params(Params, request.params)
    at_least("min_quality", params.min_quality, 0, 1)
    at_least("test_size", params.test_size, 0.05, 0.5)
    raw = read_table(request.required("table"))
    schema = rules.read_schema(params.schema, user_columns(raw))
    table, checks = _check(raw, schema)
    table = _with_mid(table)
    table = table.with_columns(sampling.record_keys(raw).alias(KEY))
    quality = _quality(table, checks)
    problems = [problem for check in checks for problem in check.problems]
    failing = [problem for check in checks for problem in check.fatal]
    if quality["score"] < params.min_quality:
        failing += problems[:QUOTED_PROBLEMS] or _pervasive(quality, table.height)
        failing.append(f"quality {quality['score']:.2f} is under min_quality {params.min_quality:.2f}")
    if table.height < params.min_rows:
        failing += [p for p in problems[:QUOTED_PROBLEMS] if p not in failing]
        rows = "1 row" if table.height == 1 else f"{table.height} rows"
        failing.append(f"{rows}; at least {params.min_rows} are needed to train a model")
    if failing:
        raise Refusal("; ".join(failing))
    roles = find_roles(table, params, request.context)
    if roles.task != "direction" and (trouble := target_problem(table[roles.target], roles.task)):
        raise Refusal(trouble)
    table = table.with_columns(_parts(table, roles, params.test_size, request.seed).alias(PART))
    for problem in problems:
        log(f"warning: {problem}")
    counts = table[PART].value_counts()
    held_out = int(counts.filter(pl.col(PART) == TEST)["count"].sum())
    quality |= {"columns": [check.to_json() for check in checks], "problems": problems, "rows": table.height}
    write_table(request, table)
    return Reply(
        outputs={"table": "table.parquet", "quality": contract.write_json(request, "quality.json", quality)},
        metrics={
            "quality": quality["score"],
            "validity": quality["validity"],
            "completeness": quality["completeness"],
            "uniqueness": quality["uniqueness"],
            "duplicates": quality["duplicates"],
            "missing_cells": quality["missing_cells"],
            "bad_cells": quality["bad_cells"],
            "test_rows": held_out,
        },
        data=facts(request, table),
        context={
            **roles.to_context(),
            "tabular.quality": quality["score"],
            "tabular.level.validate": request.granularity,
        },
    )


def _check(raw: pl.DataFrame, schema: Mapping[str, rules.Rule]) -> tuple[pl.DataFrame, list[rules.Check]]:
    lines = raw[LINE] if LINE in raw.columns else pl.int_range(1, raw.height + 1, eager=True, dtype=pl.UInt32)
    columns: list[pl.Series] = [lines.alias(LINE)]
    checks: list[rules.Check] = []
    for name in user_columns(raw):
        rule = schema.get(name, rules.Rule())
        cells = typed(raw[name], rule.type)
        values, check = rules.check(cells, rule, lines)
        columns.append(values.alias(name))
        checks.append(check)
    return pl.DataFrame(columns), checks


def _with_mid(table: pl.DataFrame) -> pl.DataFrame:
    """Quotes without a price get one: the middle of bid and ask."""
    names = {plain(name): name for name in user_columns(table)}
    if "bid" not in names or "ask" not in names or "mid" in names:
        return table
    bid, ask = names["bid"], names["ask"]
    if not (table[bid].dtype.is_numeric() and table[ask].dtype.is_numeric()):
        return table
    place = table.columns.index(bid)
    return table.insert_column(place, ((table[bid] + table[ask]) / 2).alias("mid"))


def _quality(table: pl.DataFrame, checks: list[rules.Check]) -> dict[str, Any]:
    cells = table.height * len(checks)
    missing = sum(check.missing for check in checks)
    shares = [check.valid_share for check in checks]
    repeats = table.height - table[KEY].n_unique() if len(checks) > 1 else 0
    validity = (float(np.mean(shares)) + min(shares)) / 2 if shares else 0.0
    completeness = 1 - missing / cells if cells else 0.0
    uniqueness = 1 - repeats / table.height if table.height else 0.0
    score = validity * completeness**0.5 * uniqueness**0.5
    return {
        "score": round(score, 4),
        "validity": round(validity, 4),
        "completeness": round(completeness, 4),
        "uniqueness": round(uniqueness, 4),
        "duplicates": repeats,
        "missing_cells": missing,
        "bad_cells": sum(check.bad for check in checks),
    }


def _pervasive(quality: Mapping[str, Any], rows: int) -> list[str]:
    """What is amiss all over the table rather than in one column."""
    found = []
    if quality["missing_cells"]:
        found.append(f"{quality['missing_cells']} cells are missing ({1 - quality['completeness']:.0%})")
    if quality["duplicates"]:
        found.append(f"{quality['duplicates']} of {rows} rows repeat an earlier one")
    return found


def _parts(table: pl.DataFrame, roles: Roles, test_size: float, seed: int) -> pl.Series:
    """`train` or `test` for each row: by time for a direction, else by the hash of the record, so repeats stay together.

    Whole groups are held out where there is a group. Bars without a time or a price are `gap`: nothing is known of them.
    """
    if roles.task == "direction":
        times = table[roles.time].set((~(table[roles.price] > 0)).fill_null(value=True), None)
        present = times.drop_nulls().sort()
        if present.len() == 0:
            raise Refusal(f"no row has both a time in `{roles.time}` and a price above 0 in `{roles.price}`")
        border = present[int(present.len() * (1 - test_size))]
        parts = pl.select(pl.when(times >= border).then(pl.lit(TEST)).otherwise(pl.lit(TRAIN))).to_series()
        return parts.set(times.is_null(), GAP)
    target = table[roles.target]
    labelled = target.is_not_null()
    known = table.filter(labelled)
    if roles.group:
        held_out = sampling.by_group(known, roles.group, test_size, seed)
    elif roles.task == "classification":
        held_out = sampling.stratified(known, known[roles.target], test_size, seed, floor=0, least=0)
    else:
        held_out = sampling.by_hash(known, test_size, seed, floor=0)
    marks = np.full(table.height, GAP, dtype=object)
    marks[labelled.to_numpy()] = np.where(held_out, TEST, TRAIN)
    return pl.Series(marks, dtype=pl.String)


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(validate)


if __name__ == "__main__":
    main()
