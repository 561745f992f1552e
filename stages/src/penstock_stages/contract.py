"""What a stage or a hook is written with: one JSON object in, one out, the log on stderr.

The kit's stages are pure functions `Request -> Reply` that `serve` makes programs of. For one's own there are `stage`
and `hook`, which make a program of one decorated function:

    from penstock_stages.contract import Request, stage

    @stage
    def main(call: Request) -> dict:
        ...
        return {"metrics": {"rows": 3}}

    if __name__ == "__main__":
        main()

Each is run once for one request, or stays and answers a request a line where the engine wants a worker
(`PENSTOCK_WORKER=1`). Exit codes of the first form: 0 the reply stands, 2 a failure that no retry will mend (the
request or its parameters are wrong), 1 anything else.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock_stages.messages import Input, Refusal, Reply, Request, log, parse_request
from penstock_stages.serving import Program, hook, perform, serve, stage

__all__ = [
    "Input",
    "Program",
    "Refusal",
    "Reply",
    "Request",
    "hook",
    "link_on",
    "log",
    "parse_request",
    "perform",
    "serve",
    "stage",
    "write_json",
    "writing",
]


@contextmanager
def writing(request: Request, name: str) -> Iterator[Path]:
    """A path to write the output `name` to; it takes its place under `out` only when the block ends well."""
    target = request.out / name
    draft = request.out / f".{name}.part"
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def write_json(request: Request, name: str, body: object) -> str:
    """Writes `body` as the output `name`, the same bytes for the same content; returns `name`."""
    text = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    with writing(request, name) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    return name


def link_on(request: Request, source: Input, name: str) -> str:
    """Passes an input on as the output `name`, unchanged: a hard link, or a copy across file systems."""
    with writing(request, name) as draft:
        draft.unlink(missing_ok=True)
        try:
            os.link(source.path, draft)
        except OSError:
            shutil.copyfile(source.path, draft)
    return name
