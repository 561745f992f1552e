"""Programs made of one function: run once, or a worker that stays.

A worker reads one request a line and answers each with a line that has its `id`. It never forks after it has computed:
numeric libraries hang in the child. SIGTERM ends it at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NoReturn, TypeVar, overload

from penstock_stages.keeping import Kept
from penstock_stages.messages import Refusal, Reply, Request, log, parse_request, request_of
from penstock_stages.params import Misuse

Function = Callable[[Request], Any]
Answer = dict[str, Any]
R = TypeVar("R")


class Program:
    """A decorated function: called without an argument it serves, with a request it is the function itself."""

    def __init__(self, function: Function, threads: int, needs_out: bool) -> None:
        self.function = function
        self.threads = threads
        self.needs_out = needs_out
        self.__doc__ = function.__doc__

    def __call__(self, request: Request | None = None) -> Any:
        """Serves, or what the function returns for `request`."""
        if request is None:
            self.serve()
        return self.function(request)

    def serve(self) -> NoReturn:
        """The `main` of the program; what is printed goes to the log, never into the reply."""
        if os.environ.get("PENSTOCK_WORKER") == "1":
            _Worker(self).work()
        else:
            _once(self)
        sys.exit(0)

    def ready(self, request: Request) -> Request:
        """The request itself. Raises: `Misuse` where it cannot be worked on."""
        if self.needs_out and not request.out.is_dir():
            raise Misuse(f"`out` is not a directory: {request.out}")
        if self.needs_out and request.granularity == "off":
            raise Misuse("`off` is done by the engine, which passes the inputs on; there is nothing to run")
        return request


@overload
def stage(function: Function, /) -> Program: ...
@overload
def stage(*, threads: int = 1) -> Callable[[Function], Program]: ...
def stage(function: Function | None = None, /, *, threads: int = 1) -> Program | Callable[[Function], Program]:
    """Makes a stage of a function that gets a `Request` and returns its reply: a `Reply`, a mapping, or None.

    Raise `Refusal` where the data will not do and `Misuse` where the request will not; any other exception is a failure
    with its traceback in the log. It runs in `out`. With `threads` a worker has so many calls in hand at a time, for
    functions that mostly wait; they share the working directory, so such a function goes by `call.out`.
    """
    return _made(function, threads, needs_out=True)


@overload
def hook(function: Function, /) -> Program: ...
@overload
def hook(*, threads: int = 1) -> Callable[[Function], Program]: ...
def hook(function: Function | None = None, /, *, threads: int = 1) -> Program | Callable[[Function], Program]:
    """Makes a hook of a function that returns a mapping with its `decision` and what else it has to say, or None.

    What only some events have is in `call.body`: `outcome`, `outputs`, `metrics`.
    """
    return _made(function, threads, needs_out=False)


def serve(function: Callable[[Request], Reply]) -> NoReturn:
    """The `main` of the kit's own stages."""
    Program(function, threads=1, needs_out=True).serve()


def perform(function: Callable[[Request], R], request: Request) -> R | Reply:
    """What the function replies, a data problem being a reply as well."""
    try:
        return function(request)
    except Refusal as refusal:
        return Reply(status="fail", reason=str(refusal), error="data")


def _made(function: Function | None, threads: int, needs_out: bool) -> Program | Callable[[Function], Program]:
    if function is not None:
        return Program(function, threads, needs_out)
    return lambda function: Program(function, threads, needs_out)


def _once(program: Program) -> None:
    reply_to = os.dup(1)
    os.dup2(2, 1)
    try:
        request = program.ready(parse_request(_stdin()))
        Kept.begin(request.seed)
        reply = _answer(perform(program.function, request))
        text = json.dumps(reply, ensure_ascii=False, allow_nan=False)
        sys.stdout.flush()
        with os.fdopen(reply_to, "w", encoding="utf-8", errors="surrogateescape") as stdout:
            stdout.write(text + "\n")
    except Misuse as misuse:
        log(f"error: {misuse}")
        sys.exit(2)
    except (MemoryError, OSError) as error:
        log(f"error: {type(error).__name__}: {error}")
        sys.exit(1)
    except Exception:  # noqa: BLE001 (the last resort, with its traceback)
        traceback.print_exc(file=sys.stderr)
        sys.exit(1)
    if reply.get("status") == "fail":
        log(f"failed: {reply.get('reason')}")


def _stdin() -> str:
    if sys.stdin.isatty():
        raise Misuse('waiting for nothing: pipe one JSON object in, such as {"inputs":[{"path":"data.csv"}]}')
    return sys.stdin.buffer.read().decode("utf-8", errors="surrogateescape")


class _Worker:
    """Answers requests until stdin ends."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lock = Lock()
        # what the function and its children read and print is neither a request nor a reply
        self.requests = os.fdopen(os.dup(0), "rb")
        self.replies = os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)

    def work(self) -> None:
        if self.program.threads == 1:
            for line in self.requests:
                self._take(line)
            return
        with ThreadPoolExecutor(self.program.threads) as pool:
            for line in self.requests:
                pool.submit(self._take, line)

    def _take(self, line: bytes) -> None:
        body = json.loads(line)
        number = {"id": body["id"]}
        try:
            made = json.dumps(number | self._reply(body), ensure_ascii=False, allow_nan=False)
        except BaseException as error:  # noqa: BLE001 (whatever it was, the engine waits for an answer)
            made = json.dumps(number | _failure(error), ensure_ascii=False)
        sys.stdout.flush()
        sys.stderr.flush()
        self._write((made + "\n").encode("utf-8", errors="surrogateescape"))

    def _reply(self, body: Mapping[str, Any]) -> Answer:
        request = self.program.ready(request_of(body))
        if self.program.threads > 1:
            return _answer(perform(self.program.function, request))
        with Kept(request.out if self.program.needs_out else None, request.seed):
            return _answer(perform(self.program.function, request))

    def _write(self, reply: bytes) -> None:
        rest = memoryview(reply)
        with self.lock:
            while rest:
                rest = rest[os.write(self.replies, rest) :]


def _answer(reply: Reply | Mapping[str, Any] | None) -> Answer:
    if reply is None:
        return {}
    answer = reply.to_json() if isinstance(reply, Reply) else dict(reply)
    if isinstance(answer.get("outputs"), Mapping):
        answer["outputs"] = [{"name": name, "path": str(path)} for name, path in answer["outputs"].items()]
    return answer


def _failure(error: BaseException) -> Answer:
    """What a worker replies where a program that is run once ends with an exit code."""
    if isinstance(error, Misuse):
        log(f"error: {error}")
        return {"status": "fail", "reason": str(error), "error": "configuration.misuse"}
    if isinstance(error, SystemExit):
        if error.code in (0, None):
            return {}
        return {"status": "retry" if error.code == 75 else "fail", "reason": f"exit {error.code}"}
    traceback.print_exception(error, file=sys.stderr)
    return {"status": "fail", "reason": f"{type(error).__name__}: {error}"}
