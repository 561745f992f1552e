"""One fold of one block for every arm, through the kit's own stages in this process.

Stages that arms have in common are worked once, and a stage that gets the same bytes at the same level is not worked
again: its outcome and its cost are those of the first time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from levels import AUTO, CHAIN, KIT, Arm
from penstock_stages.contract import Input, Reply, Request, perform

SAMPLE = 0.2
SEED = 42
ONCE = ("ingest", "validate", "clean")
"""The stages that do not hang on the fold."""


@dataclass(frozen=True)
class State:
    """What stands after some stages: the outputs of the last one, the context, and the CPU seconds of all."""

    inputs: tuple[Input, ...]
    digest: str
    context: Mapping[str, Any]
    seconds: float
    reply: Reply


class Chain:
    """Works stages below `folder`; remembers what it worked."""

    def __init__(self, drop: Path, task: str, folder: Path, group: str = "", target: str = "") -> None:
        self.params = {"validate": {"task": task, "group": group, "target": target, "min_quality": 0.0}}
        self.start = State((Input("input", drop),), _digest([drop]), {}, 0.0, Reply())
        self.folder = folder
        self.name = drop.name
        self.seen: dict[tuple[str, str, str], tuple[State, float]] = {}
        self.count = 0
        self.worked = 0.0
        self.passed_on = {stage: _passed_on(stage) for stage in AUTO}

    def forget(self) -> None:
        """Clears away what was worked for a fold; what stands for all folds stays."""
        for key, (state, _) in list(self.seen.items()):
            if key[0] not in ONCE:
                del self.seen[key]
                shutil.rmtree(state.inputs[0].path.parent, ignore_errors=True)

    def arm(self, arm: Arm, trial: Mapping[str, Any]) -> State:
        """The state after `evaluate`. Raises: RuntimeError with the reason where a stage fails."""
        state = self.start
        chosen = dict(zip(AUTO, arm, strict=True))
        for stage in CHAIN:
            level = chosen.get(stage, "coarse")
            if level == "off":
                kept = tuple(i for i in state.inputs if i.name in self.passed_on[stage])
                state = State(kept, state.digest, state.context, state.seconds, state.reply)
            else:
                state = self._worked(stage, level, state, None if stage in ONCE else trial)
        return state

    def _worked(self, stage: str, level: str, before: State, trial: Mapping[str, Any] | None) -> State:
        key = (stage, level, before.digest)
        if key not in self.seen:
            self.seen[key] = self._work(stage, level, before, trial)
        state, cost = self.seen[key]
        return State(state.inputs, state.digest, state.context, before.seconds + cost, state.reply)

    def _work(self, stage: str, level: str, before: State, trial: Mapping[str, Any] | None) -> tuple[State, float]:
        self.count += 1
        out = self.folder / f"{stage}.{self.count}"
        out.mkdir(parents=True)
        request = Request(
            stage=stage,
            granularity=level,
            sample=SAMPLE if level == "medium" else 1.0,
            seed=SEED,
            params={k: v for k, v in self.params.get(stage, {}).items() if v != ""},
            inputs=before.inputs,
            context=before.context,
            run={"id": "", "number": 1, "pipeline": "bench", "trial": trial},
            drop={"name": self.name},
            out=out,
        )
        function = getattr(import_module(f"penstock_stages.tabular.{stage}"), stage)
        began = time.process_time()
        reply = perform(function, request)
        cost = time.process_time() - began
        self.worked += cost
        if reply.status != "ok":
            raise RuntimeError(f"{stage} at {level}: {reply.reason}")
        inputs = tuple(Input(name, out / path, stage) for name, path in reply.outputs.items())
        context = {**before.context, **reply.context}
        carried = {k: v for k, v in context.items() if not k.startswith("tabular.level.")}
        digest = _digest([i.path for i in inputs], json.dumps(carried, sort_keys=True))
        return State(inputs, digest, context, 0.0, reply), cost


def _passed_on(stage: str) -> list[str]:
    body = yaml.safe_load((KIT / "tabular" / f"{stage}.yaml").read_text(encoding="utf-8"))
    return list(body.get("passthrough") or [])


def _digest(paths: list[Path], text: str = "") -> str:
    found = hashlib.sha256(text.encode())
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()
