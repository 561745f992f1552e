"""What the engine and its programs say to each other (contract 1): the request, and the reply of a stage."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock_stages.params import Misuse
from penstock_stages.trials import Trial, trial_of

LEVELS = ("coarse", "medium", "fine", "off")
DEFAULT_SEED = 42
DEFAULT_SAMPLE = 0.2


class Refusal(Exception):
    """The data will not do. The text is for the person who dropped the file; the stage replies `fail` with it."""


@dataclass(frozen=True)
class Input:
    """One output of an earlier stage, or the drop itself (`name` is then `input`)."""

    name: str
    path: Path
    stage: str | None = None


@dataclass(frozen=True)
class Request:
    """What the engine asks; every field has a default that suits a call by hand. `body` is the object as it came."""

    stage: str
    granularity: str = "coarse"
    sample: float = 1.0
    seed: int = DEFAULT_SEED
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    drop: Mapping[str, Any] = field(default_factory=dict)
    out: Path = Path()
    event: str = "stage"
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def item(self) -> Any:
        """The item of a call of an `each:` stage; None elsewhere."""
        return self.body.get("item")

    @property
    def trial(self) -> Trial | None:
        """Where the run stands in a trial, for stages with `splits: true`; None elsewhere."""
        return trial_of(self.run)

    def optional(self, name: str, stage: str | None = None) -> Input | None:
        """The last input called `name` (of `stage`, where said), or None."""
        found = [i for i in self.inputs if i.name == name and (stage is None or i.stage == stage)]
        return found[-1] if found else None

    def required(self, name: str) -> Input:
        """The last input called `name`; a drop counts as any name, so that a stage can come first.

        Raises: `Misuse` naming the inputs there are.
        """
        found = self.optional(name) or self.optional("input")
        if found is None:
            have = ", ".join(sorted({i.name for i in self.inputs})) or "none"
            raise Misuse(f"stage {self.stage} needs an input called `{name}`; it was given: {have}")
        if not found.path.is_file():
            raise Misuse(f"stage {self.stage}: the input `{name}` is not a file: {found.path}")
        return found


@dataclass(frozen=True)
class Reply:
    """What a stage answers. `outputs` maps names to files inside `out`; `metrics` are numbers only."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, float] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    status: str = "ok"
    reason: str = ""
    # of a failure: `configuration`, `data`, `model` or `system`, and a code of its own: `data.schema`
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """The reply as the contract has it; numbers that are not finite are left out."""
        body: dict[str, Any] = {"status": self.status}
        if self.reason:
            body["reason"] = self.reason
        if self.error:
            body["error"] = self.error
        body["outputs"] = [{"name": name, "path": path} for name, path in self.outputs.items()]
        body["metrics"] = _finite(self.metrics)
        body["data"] = _finite(self.data)
        body["context"] = dict(self.context)
        return body


def log(text: str) -> None:
    """One line for the log of the stage."""
    print(text, file=sys.stderr, flush=True)


def parse_request(text: str) -> Request:
    """The request in `text`. Raises: `Misuse` saying what is wrong with it and what is wanted."""
    if not text.strip():
        raise Misuse('nothing on stdin; a stage reads one JSON object, such as {"inputs":[{"path":"data.csv"}]}')
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise Misuse(f"stdin is not JSON: {error.msg}, line {error.lineno} column {error.colno}") from None
    if not isinstance(body, dict):
        raise Misuse(f"stdin is a JSON {_kind(body)}; a stage reads one JSON object")
    return request_of(body)


def request_of(body: Mapping[str, Any]) -> Request:
    """The same of an object that was read."""
    stage = _object(body, "stage")
    level = stage.get("granularity") or "coarse"
    if level not in LEVELS:
        raise Misuse(f"stage.granularity is `{level}`; it is one of {', '.join(LEVELS)}")
    return Request(
        stage=str(stage.get("name") or os.environ.get("PENSTOCK_STAGE") or "by hand"),
        granularity=level,
        sample=_sample(stage.get("sample"), level),
        seed=_seed(stage.get("seed")),
        params=_object(stage, "params"),
        inputs=_inputs(body.get("inputs")),
        context=_object(body, "context"),
        run=_object(body, "run"),
        drop=_object(body, "drop"),
        out=Path(str(body.get("out") or ".")),
        event=str(body.get("event") or "stage"),
        body=body,
    )


def _finite(numbers: Mapping[str, float]) -> dict[str, float]:
    clean: dict[str, float] = {}
    for name, value in numbers.items():
        number = value if isinstance(value, int) else float(value)
        if isinstance(number, int) or abs(number) < float("inf"):
            clean[name] = number
    return clean


def _kind(value: object) -> str:
    names: dict[type, str] = {list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def _object(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Misuse(f"`{key}` is a JSON {_kind(value)}; it should be an object")
    return value


def _sample(value: object, level: str) -> float:
    if level != "medium":
        return 1.0
    if value is None:
        return DEFAULT_SAMPLE
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise Misuse(f"stage.sample is `{value}`; it is a fraction above 0 and up to 1")
    return float(value)


def _seed(value: object) -> int:
    if value is None:
        return DEFAULT_SEED
    if isinstance(value, bool) or not isinstance(value, int):
        raise Misuse(f"stage.seed is `{value}`; it is a whole number")
    return value


def _inputs(value: object) -> tuple[Input, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Misuse(f"`inputs` is a JSON {_kind(value)}; it should be an array of objects with a `path`")
    found = []
    for entry in value:
        if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
            raise Misuse("every entry of `inputs` is an object with a `path`")
        found.append(Input(str(entry.get("name") or "input"), Path(entry["path"]), entry.get("stage")))
    return tuple(found)
