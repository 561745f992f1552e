"""Rules for a column, from the user's schema, and what came of checking them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import polars as pl

from penstock_stages.contract import Refusal
from penstock_stages.params import Misuse
from penstock_stages.tabular.celltypes import Kind, Typed

WORDS = {"number": "a number", "integer": "a whole number", "date": "a date or time", "boolean": "true or false"}
PLURALS = {"number": "numbers", "integer": "whole numbers", "date": "dates or times", "boolean": "true or false"}


@dataclass(frozen=True)
class Rule:
    """What a column should be; None or False where nothing is asked."""

    type: Kind | None = None
    min: float | None = None
    max: float | None = None
    required: bool = False
    unique: bool = False
    values: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Check:
    """One column checked: counts of cells, and the problems in words (`fatal` ones end the run)."""

    name: str
    kind: str
    rows: int
    missing: int
    bad: int
    problems: list[str] = field(default_factory=list)
    fatal: list[str] = field(default_factory=list)

    @property
    def valid_share(self) -> float:
        """Share of the present cells that fit; a column without any cell has none that does not."""
        present = self.rows - self.missing
        return 1 - self.bad / present if present else 1.0

    def to_json(self) -> dict[str, Any]:
        """For quality.json."""
        return {"name": self.name, "kind": self.kind, "missing": self.missing, "bad": self.bad}


def read_schema(raw: Mapping[str, Any], columns: list[str]) -> dict[str, Rule]:
    """The rules by column. Raises: `Misuse` for a rule that makes no sense, `Refusal` for a column that is missing."""
    schema: dict[str, Rule] = {}
    for name, body in raw.items():
        if not isinstance(body, dict):
            raise Misuse(f"schema of `{name}` should be an object such as {{type: number, min: 0}}")
        unknown = set(body) - set(Rule.__dataclass_fields__)
        if unknown:
            known = ", ".join(Rule.__dataclass_fields__)
            raise Misuse(f"schema of `{name}`: unknown rule `{min(unknown)}`; there are: {known}")
        kind = body.get("type")
        if kind is not None and kind not in get_args(Kind):
            raise Misuse(f"schema of `{name}`: type `{kind}` is none of {', '.join(get_args(Kind))}")
        for limit in ("min", "max"):
            if body.get(limit) is not None and not isinstance(body[limit], int | float):
                raise Misuse(f"schema of `{name}`: `{limit}` should be a number")
        values = body.get("values")
        if values is not None and not isinstance(values, list):
            raise Misuse(f"schema of `{name}`: `values` should be a list")
        rule = Rule(**{**body, "values": tuple(values) if values is not None else None})
        if name in columns:
            schema[name] = rule
        elif rule.required:
            have = ", ".join(f"`{column}`" for column in columns[:12])
            raise Refusal(f"column `{name}` is required and not there; there are: {have}")
    return schema


def check(cells: Typed, rule: Rule, lines: pl.Series) -> tuple[pl.Series, Check]:
    """The values with those that break the rule made null, and the account of it."""
    name = cells.raw.name
    values = cells.values
    missing = cells.raw.null_count() if cells.raw.dtype == pl.String else values.null_count() - int(cells.bad.sum())
    present = values.len() - missing
    problems: list[str] = []
    fatal: list[str] = []
    bad = cells.bad

    def note(mask: pl.Series, one: str, many: str) -> None:
        count = int(mask.sum())
        if count:
            where = mask.arg_max() or 0
            what = f"1 of {present} values is {one}" if count == 1 else f"{count} of {present} values are {many}"
            example = str(cells.raw[where])[:40]
            problems.append(f"column `{name}`: {what} (`{example}`, line {lines[where]})")

    if cells.kind in WORDS:
        note(bad, f"not {WORDS[cells.kind]}", f"not {PLURALS[cells.kind]}")
    if values.dtype.is_numeric():
        for limit, word in ((rule.min, "under"), (rule.max, "over")):
            if limit is not None:
                outside = (values < limit if word == "under" else values > limit).fill_null(False)
                note(outside, f"{word} {limit:g}", f"{word} {limit:g}")
                bad = bad | outside
    if rule.values is not None:
        allowed = [str(value) for value in rule.values]
        other = (~values.cast(pl.String).is_in(allowed)).fill_null(False)
        note(other, "not one of the allowed", "not among the allowed")
        bad = bad | other
    if rule.unique:
        again = (~values.is_first_distinct()) & values.is_not_null()
        note(again, "a repeat", "repeats")
        if again.any():
            fatal.append(f"{problems.pop()}, but the schema says it is unique")
    if missing * 2 > values.len() and not rule.required:
        problems.append(f"column `{name}`: {missing} of {values.len()} values are missing")
    if rule.required and missing:
        where = cells.raw.is_null().arg_max() or 0
        fatal.append(f"column `{name}`: {missing} of {values.len()} values are missing (first: line {lines[where]})")
    values = values.set(bad.fill_null(False), None)
    return values, Check(name, cells.kind, values.len(), missing, int(bad.sum()), problems, fatal)
