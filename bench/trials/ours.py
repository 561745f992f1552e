"""The shipping search and the shipping watch, as programs that read worlds or years and answer what they make of them."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
from types import TracebackType
from typing import Any, Self

from methods import Pick
from replay import World


class Program:
    """A program that reads JSON objects, one a line, and answers each with one."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, line: str) -> Any:
        """The answer. Raises: SystemExit where there is none."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"`{self.command}` ended with {self.process.wait()} instead of an answer")
        return json.loads(answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=30)


class Ours(Program):
    """A method by a program: a world a line on its stdin, an answer a line on its stdout."""

    def __call__(self, world: World) -> Pick:
        """The pick of the program. Raises: as `answer`."""
        answer = self.answer(world)
        return Pick(answer["picked"], answer["cost"])

    def answer(self, world: World) -> dict[str, Any]:
        """What the program says, as README.md has it. Raises: SystemExit where it is nothing, or names no arm there is."""
        answer: dict[str, Any] = self.ask(world.to_json())
        if not 0 <= answer["picked"] < len(world.grid.arms):
            raise SystemExit(f"`{self.command}` picked arm {answer['picked']} of {len(world.grid.arms)}")
        return answer
