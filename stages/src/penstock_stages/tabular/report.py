"""Report: one HTML page about the run that a person can open, keep, print and send; it needs nothing beside it.

Takes what it is given of `metrics` and the figures (evaluate), `model_card` (train), `quality` (validate) and
`profile` (ingest), and the levels the stages ran at from the context.
Output: `report` (HTML).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from penstock_stages import __version__, contract
from penstock_stages.contract import Reply, Request, log, writing
from penstock_stages.params import read_params
from penstock_stages.tabular import page

TEMPLATE = "report.html.j2"
FEATURES_SHOWN = 20
PROBLEMS_SHOWN = 12


@dataclass(frozen=True)
class Params:
    """`title` empty is the name of the drop."""

    title: str = ""


def report(request: Request) -> Reply:
    """Writes the page from what the inputs tell."""
    params = read_params(Params, request.params)
    facts = {name: _json(request, name) for name in ("metrics", "model_card", "quality", "profile")}
    pictures = [
        page.picture(name, source.path.read_text(encoding="utf-8"))
        for name in page.TITLES
        if (source := request.optional(name)) is not None
    ]
    drop = str(request.drop.get("name") or facts["profile"].get("name") or "")
    title = params.title or drop or str(request.run.get("pipeline") or "Report")
    html = _template().render(
        title=title,
        drop=drop,
        run=request.run,
        started=page.started(request.run),
        sha256=str(request.drop.get("sha256") or ""),
        verdict=facts["metrics"].get("verdict") or "No model was evaluated in this run.",
        judgement=facts["metrics"].get("judgement") or "none",
        measures=_measures(facts["metrics"]),
        pictures=pictures,
        levels=page.levels(request.context),
        features=facts["model_card"].get("importances", [])[:FEATURES_SHOWN],
        problems=facts["quality"].get("problems", [])[:PROBLEMS_SHOWN],
        quality_parts=[
            (name, facts["quality"].get(name), words)
            for name, words in page.QUALITY_PARTS.items()
            if name in facts["quality"]
        ],
        seed=facts["model_card"].get("seed", request.seed),
        version=__version__,
        **facts,
    )
    with writing(request, "report.html") as draft:
        draft.write_text(html, encoding="utf-8")
    bytes_written = Path(request.out / "report.html").stat().st_size
    log(f"report.html: {page.size(bytes_written)}, {len(pictures)} figures")
    return Reply(
        outputs={"report": "report.html"},
        metrics={"figures": len(pictures), "report_bytes": bytes_written},
        data={"rows": facts["profile"].get("rows", 0), "bytes": bytes_written},
    )


def _json(request: Request, name: str) -> dict[str, Any]:
    source = request.optional(name)
    if source is None:
        log(f"no input called `{name}`: that part of the page is left out")
        return {}
    body = json.loads(source.path.read_text(encoding="utf-8"))
    return body if isinstance(body, dict) else {}


def _measures(metrics: dict[str, Any]) -> list[dict[str, str]]:
    test, train = metrics.get("test", {}), metrics.get("train", {})
    return [
        {
            "name": label,
            "words": words,
            "test": page.number(test[key]),
            "train": page.number(train[key]) if key in train else "",
        }
        for key, (label, words) in page.MEASURES.items()
        if key in test
    ]


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.ChainableUndefined
    )
    environment.filters |= {"number": page.number, "size": page.size, "ticked": page.ticked}
    return environment.from_string(Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8"))


def main() -> None:
    """Runs the stage on stdin."""
    contract.serve(report)


if __name__ == "__main__":
    main()
