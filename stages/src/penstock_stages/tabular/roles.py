"""What the columns are for: task and target, and for price series the time, the price and the series column.

What the user wrote wins, then what an earlier stage found (in `context`), then names and types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from penstock_stages.contract import Refusal, log
from penstock_stages.table import numeric_columns, user_columns

Task = Literal["auto", "classification", "regression", "direction"]
TARGET_NAMES = ("target", "label", "class", "y")
TIME_NAMES = ("timestamp", "datetime", "date", "time", "day", "month", "period")
PRICE_NAMES = ("adj close", "close", "price", "last", "mid", "exchange rate", "rate", "value")
SERIES_NAMES = ("symbol", "pair", "ticker", "series", "country", "currency", "instrument", "code", "name", "id")
MOST_CLASSES = 50
INTEGER_CLASSES = 20
REPEATED = 0.01


@dataclass(frozen=True)
class Roles:
    """Column names; `target` is empty for a direction whose label is not made yet.

    Rows with the same value of `group` belong together: they are held out together, and it is never learned from.
    """

    task: Literal["classification", "regression", "direction"]
    target: str
    time: str = ""
    price: str = ""
    series: str = ""
    group: str = ""

    def to_context(self) -> dict[str, str]:
        """For the context, where the later stages find it."""
        roles = {"task": self.task, "target": self.target, "time": self.time}
        roles |= {"price": self.price, "series": self.series, "group": self.group}
        return {f"tabular.{name}": value for name, value in roles.items()}


def plain(name: str) -> str:
    """A column name for comparison: `Adj_Close ` and `adj close` are the same."""
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def find_roles(table: pl.DataFrame, asked: Any, context: Mapping[str, Any]) -> Roles:
    """The roles in `table`. `asked` has the parameters `task` and `target`, maybe `time`, `price`, `series`, `group`.

    Raises: `Refusal` that names the columns there are, when a column that is needed cannot be told.
    """
    columns = user_columns(table)
    if not columns:
        raise Refusal("the table has no columns")

    def known(role: str) -> str:
        wanted = str(getattr(asked, role, ""))
        if wanted:
            return _named(columns, wanted, role)
        found = str(context.get(f"tabular.{role}") or "")
        return found if found in columns else ""

    task = asked.task if asked.task != "auto" else str(context.get("tabular.task") or "auto")
    if task == "direction":
        return _series_roles(table, known("target"), known("time"), known("price"), known("series"))
    target = known("target") or _guess_target(columns)
    if len(columns) == 1 and "tabular.target" not in context:
        raise Refusal(f"the table has one column only (`{target}`): a target needs other columns to learn from")
    if task == "auto":
        task = guess_task(table[target])
        log(f"task: {task}, from the values of `{target}`")
    kind: Literal["classification", "regression"] = "classification" if task == "classification" else "regression"
    group = known("group")
    if group and group == target:
        raise Refusal(f"`{group}` is the target; it cannot be the group as well")
    return Roles(kind, target, group=group)


def guess_task(target: pl.Series) -> str:
    """Classification for text, booleans and few whole numbers; else regression."""
    present = target.drop_nulls()
    if not (present.dtype.is_numeric() or present.dtype.is_temporal()):
        return "classification"
    distinct = present.n_unique()
    if distinct <= 2:
        return "classification"
    whole = present.dtype.is_integer() or bool((present == present.round()).all())
    return "classification" if whole and distinct <= INTEGER_CLASSES and distinct**2 <= present.len() else "regression"


def target_problem(target: pl.Series, task: str) -> str:
    """Why nothing can be learned from this target, in words; empty when all is well."""
    present = target.drop_nulls()
    name = target.name
    if present.len() == 0:
        return f"target `{name}` has no values at all"
    distinct = present.n_unique()
    if distinct == 1:
        return f"target `{name}` has one value only (`{present[0]}`): there is nothing to learn"
    if task == "regression" and not present.dtype.is_numeric():
        return f"target `{name}` is not a number, which regression needs (such as `{present[0]}`)"
    if task == "classification" and distinct > MOST_CLASSES:
        hint = "choose another target" if not present.dtype.is_numeric() else "set task: regression"
        return f"target `{name}` has {distinct} classes, more than {MOST_CLASSES}: {hint}"
    if task == "classification":
        counts = present.value_counts()["count"].sort(descending=True)
        if counts[1] < 2:
            return f"target `{name}`: no two classes have two rows or more, so none can be held out"
    return ""


def _named(columns: list[str], wanted: str, role: str) -> str:
    for column in columns:
        if column == wanted:
            return column
    for column in columns:
        if plain(column) == plain(wanted):
            return column
    raise Refusal(f"the {role} column `{wanted}` is not in the table; there are: {listed(columns)}")


def _guess_target(columns: list[str]) -> str:
    by_name = {plain(column): column for column in reversed(columns)}
    for name in TARGET_NAMES:
        if name in by_name:
            log(f"target: `{by_name[name]}`, by its name")
            return by_name[name]
    log(f"target: `{columns[-1]}`, the last column (none is called {', '.join(TARGET_NAMES)})")
    return columns[-1]


def _series_roles(table: pl.DataFrame, target: str, time: str, price: str, series: str) -> Roles:
    time = time or _find_time(table)
    price = price or _find_price(table, time)
    if not table[price].dtype.is_numeric():
        raise Refusal(f"the price column `{price}` is not a number ({table[price].dtype})")
    if not series:
        series = _find_series(table, time)
    return Roles("direction", target, time, price, series)


def _find_time(table: pl.DataFrame) -> str:
    temporal = [name for name in user_columns(table) if table[name].dtype.is_temporal()]
    best = _by_names(temporal, TIME_NAMES) or (temporal[0] if temporal else "")
    if not best:
        raise Refusal(f"no column has dates or times, which a price series needs; there are: {describe(table)}")
    log(f"time: `{best}`")
    return best


def _find_price(table: pl.DataFrame, time: str) -> str:
    numbers = numeric_columns(table, without=(time,))
    best = _by_names(numbers, PRICE_NAMES) or (numbers[0] if len(numbers) == 1 else "")
    if not best:
        seen = listed(numbers) if numbers else describe(table)
        raise Refusal(f"no column is known as a price ({', '.join(PRICE_NAMES)}); set `price`; candidates: {seen}")
    log(f"price: `{best}`")
    return best


def _find_series(table: pl.DataFrame, time: str) -> str:
    repeated = 1 - table[time].n_unique() / max(1, table.height)
    if repeated == 0:
        return ""
    text = [name for name in user_columns(table) if table[name].dtype == pl.String]
    text.sort(key=lambda name: next((i for i, s in enumerate(SERIES_NAMES) if s in plain(name).split()), 99))
    for name in text:
        if 1 - table.select(time, name).n_unique() / table.height <= REPEATED:
            log(f"series: `{name}` ({table[name].n_unique()} of them)")
            return name
    if repeated <= REPEATED:
        return ""
    raise Refusal(
        f"the times in `{time}` repeat and no text column tells series apart; set `series`; "
        f"candidates: {listed(text) or describe(table)}"
    )


def _by_names(columns: list[str], names: tuple[str, ...]) -> str:
    for name in names:
        for column in columns:
            if plain(column) == name:
                return column
    for name in names:
        for column in columns:
            if name in plain(column).split() or (" " in name and name in plain(column)):
                return column
    return ""


def listed(names: list[str], most: int = 12) -> str:
    """`a`, `b`, … for a message."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(f"`{name}`" for name in names[:most]) + more


def describe(table: pl.DataFrame, most: int = 12) -> str:
    """The columns with their kinds, for a message."""
    kinds = [f"`{n}` ({'text' if table[n].dtype == pl.String else table[n].dtype})" for n in user_columns(table)[:most]]
    return ", ".join(kinds).lower() if kinds else "none"
