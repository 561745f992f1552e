"""Where a run stands in a trial: which arm, and which fold of which block it is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock_stages.params import Misuse


@dataclass(frozen=True)
class Trial:
    """`run.trial` of a request. `fold` counts from 0; `seed` tells the folds of one block from those of another."""

    id: str
    arm: str
    block: int
    fold: int
    folds: int
    seed: int

    @property
    def name(self) -> str:
        """The fold by itself, the same for all arms."""
        return f"{self.seed}/{self.fold} of {self.folds}"


def trial_of(run: Mapping[str, Any]) -> Trial | None:
    """The trial that `run` belongs to, or None. Raises: `Misuse` saying which member is wrong."""
    body = run.get("trial")
    if body is None:
        return None
    if not isinstance(body, Mapping):
        raise Misuse("`run.trial` is no object; it has `id`, `arm`, `block`, `fold`, `folds` and `seed`")
    numbers = {name: _whole(body, name) for name in ("block", "fold", "folds", "seed")}
    if numbers["folds"] < 2 or not 0 <= numbers["fold"] < numbers["folds"]:
        raise Misuse(
            f"`run.trial` has fold {numbers['fold']} of {numbers['folds']}; folds count from 0, and are two at least"
        )
    return Trial(str(body.get("id") or ""), str(body.get("arm") or ""), **numbers)


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misuse(f"`run.trial.{name}` is `{value}`; it is a whole number")
    return value
