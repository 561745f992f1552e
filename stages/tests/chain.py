"""A small engine: runs stages one after the other in this process, each with its own output directory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from penstock_stages.contract import Input, Reply, Request, perform

STAGES = ("ingest", "validate", "clean", "features", "select", "train", "evaluate", "report")
ByHand = Callable[[str, str], subprocess.CompletedProcess[str]]
Wrong = Callable[[str, object], str]
RUN = {"id": "0199aaaa-0000-7000-8000-000000000000", "number": 7, "pipeline": "demo"}
# they hang on the fold of a trial; all others are worked once for all folds
SPLITS = ("features", "select", "train", "evaluate")
AUTO = ("clean", "features", "select", "train")
PASSED_ON = {"clean": ("table",), "features": ("table",), "select": ("table",)}


class Declared(Mapping[str, Any]):
    """The context as a pure stage may read it: only what its manifest names, for no other is in its cache key."""

    def __init__(self, stage: str, context: Mapping[str, Any]) -> None:
        manifest = Path(__file__).parents[1] / "tabular" / f"{stage}.yaml"
        body = yaml.load(manifest.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        self.names: list[str] | None = body["context"] if body["pure"] == "true" else None
        self.stage, self.context = stage, dict(context)

    def __getitem__(self, name: str) -> Any:
        assert self.names is None or name in self.names, f"`{name}` is not in `context` of {self.stage}.yaml"
        return self.context[name]

    def __iter__(self) -> Iterator[str]:
        assert self.names is None, f"{self.stage} looks at the whole context"
        return iter(self.context)

    def __len__(self) -> int:
        return len(self.context)


class Chain:
    """Runs stages as the engine would: outputs become inputs, replies' contexts are merged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.replies: dict[str, Reply] = {}

    def run(
        self,
        drop: Path,
        until: str = "report",
        levels: str | Mapping[str, str] = "coarse",
        params: Mapping[str, Mapping[str, Any]] | None = None,
        seed: int = 42,
        sample: float = 0.2,
        name: str = "run",
        trial: Mapping[str, Any] | None = None,
    ) -> Reply:
        """The reply of the last stage that ran: `until`, or the one that failed."""
        self.replies = {}
        outputs: dict[str, tuple[Input, ...]] = {}
        before: tuple[Input, ...] = (Input("input", drop),)
        context: dict[str, Any] = {}
        reply = Reply()
        for stage in STAGES[: STAGES.index(until) + 1]:
            level = levels if isinstance(levels, str) else levels.get(stage, "coarse")
            level = level if stage in AUTO else "coarse"
            if level == "off":
                outputs[stage] = before = tuple(i for i in before if i.name in PASSED_ON[stage])
                continue
            out = self.folder / name / stage
            out.mkdir(parents=True)
            inputs = tuple(i for group in outputs.values() for i in group) if stage == "report" else before
            request = Request(
                stage=stage,
                granularity=level,
                sample=sample if level == "medium" else 1.0,
                seed=seed,
                params=(params or {}).get(stage, {}),
                inputs=inputs,
                context=Declared(stage, context),
                run={**RUN, "trial": trial if stage in SPLITS else None},
                drop={"name": drop.name},
                out=out,
            )
            module = import_module(f"penstock_stages.tabular.{stage}")
            reply = perform(getattr(module, stage), request)
            self.replies[stage] = reply
            if reply.status != "ok":
                return reply
            context |= reply.context
            before = tuple(Input(n, out / p, stage) for n, p in reply.outputs.items())
            outputs[stage] = before
        return reply

    def path(self, stage: str, output: str, name: str = "run") -> Path:
        """Where an output lies."""
        return self.folder / name / stage / self.replies[stage].outputs[output]
