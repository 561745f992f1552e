"""Parameters of a stage: a frozen dataclass is the one place of their names, types and defaults.

The manifest states the same as a JSON Schema for the engine; a test keeps the two equal.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

P = TypeVar("P")


class Misuse(Exception):
    """The request is wrong: no data and no retry will mend it (exit code 2)."""


def read_params(cls: type[P], raw: Mapping[str, Any]) -> P:
    """An instance of the dataclass `cls` from what the user wrote.

    Raises: `Misuse` for a name it does not have (with the nearest one) or a value of another type.
    """
    hints = get_type_hints(cls)
    names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in names:
            near = get_close_matches(name, names, 1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; there are: {', '.join(names) or 'none'}"
            raise Misuse(f"unknown parameter `{name}`{hint}")
        if not _fits(value, hints[name]):
            raise Misuse(f"parameter `{name}` is `{value}`; it should be {_words(hints[name])}")
        values[name] = float(value) if hints[name] is float else value
    return cls(**values)


def at_least(name: str, value: float, low: float, high: float = float("inf")) -> None:
    """Raises `Misuse` unless low <= value <= high."""
    if not low <= value <= high:
        span = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        raise Misuse(f"parameter `{name}` is {value}; it should be {span}")


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        return isinstance(value, list) and all(_fits(item, get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _words(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(option) for option in get_args(hint))
    if origin is Literal:
        return "one of " + ", ".join(str(option) for option in get_args(hint))
    if origin is tuple:
        return "a list"
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false", type(None): "null"}
    return names.get(hint, "an object")
