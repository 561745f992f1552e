"""One decorated function in both forms: run once, and as a worker."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock_stages.contract import Refusal, Reply, Request, hook, stage

Make = Callable[[str], Path]


class Worker:
    """A program that stays, asked line by line."""

    def __init__(self, program: Path, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=home, env=os.environ | {"PENSTOCK_WORKER": "1"},
        )  # fmt: skip
        self.home = home
        self.count = 0

    def send(self, **body: Any) -> int:
        assert self.process.stdin
        self.count += 1
        out = self.home / f"out-{self.count}"
        out.mkdir()
        request = {"id": self.count, "api": 1, "event": "stage", "out": str(out)} | body
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return self.count

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout
        reply: dict[str, Any] = json.loads(self.process.stdout.readline())
        return reply

    def ask(self, **body: Any) -> dict[str, Any]:
        number = self.send(**body)
        reply = self.receive()
        assert reply.pop("id") == number
        return reply

    def end(self) -> str:
        _, log = self.process.communicate(timeout=60)
        return log.decode()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a program."""

    def write(text: str) -> Path:
        program = tmp_path / "program.py"
        program.write_text("import os, sys\nfrom penstock_stages.contract import *\n" + textwrap.dedent(text))
        with program.open("a") as file:
            file.write('\nif __name__ == "__main__":\n    main()\n')
        return program

    return write


@pytest.fixture
def worker(make: Make, tmp_path: Path) -> Iterator[Callable[[str], Worker]]:
    started: list[Worker] = []

    def start(text: str) -> Worker:
        started.append(Worker(make(text), tmp_path))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


def once(program: Path, **body: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, program],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        cwd=program.parent,
        check=False,
    )


COUNT = """
    calls = 0

    @stage
    def main(call):
        global calls
        calls += 1
        print("hello", call.params.get("n"))
        os.system("echo from a child; cat")
        return {"metrics": {"calls": calls, "pid": os.getpid(), "n": call.params["n"]}}
"""


def test_run_once_it_reads_an_object_and_writes_one(make: Make) -> None:
    done = once(make(COUNT), stage={"params": {"n": 5}})
    assert (done.returncode, json.loads(done.stdout)["metrics"]["n"]) == (0, 5)
    assert done.stdout.count("\n") == 1
    assert set(done.stderr.split("\n")) >= {"hello 5", "from a child"}


def test_as_a_worker_it_answers_line_after_line_whatever_is_printed_or_read(worker: Callable[[str], Worker]) -> None:
    one = worker(COUNT)
    replies = [one.ask(stage={"params": {"n": n}})["metrics"] for n in range(5)]
    assert [reply["n"] for reply in replies] == list(range(5))
    assert [reply["calls"] for reply in replies] == [1, 2, 3, 4, 5]
    assert {reply["pid"] for reply in replies} == {one.process.pid}
    log = one.end()
    assert one.process.returncode == 0
    assert log.count("hello") == log.count("from a child") == 5


def test_an_exception_is_a_failure_with_its_traceback_in_the_log(worker: Callable[[str], Worker]) -> None:
    one = worker("""
        @stage
        def main(call):
            what = call.params["what"]
            if what == "refusal": raise Refusal("no rows")
            if what == "exit": sys.exit(75)
            if what == "nan": return {"metrics": {"x": float("nan")}}
            raise ValueError("boom")
    """)
    assert one.ask(stage={"params": {"what": "error"}}) == {"status": "fail", "reason": "ValueError: boom"}
    refused = one.ask(stage={"params": {"what": "refusal"}})
    assert (refused["status"], refused["reason"]) == ("fail", "no rows")
    assert one.ask(stage={"params": {"what": "exit"}}) == {"status": "retry", "reason": "exit 75"}
    assert one.ask(stage={"params": {"what": "nan"}})["status"] == "fail"
    wrong = one.ask(stage={"granularity": "finest"})
    assert (wrong["status"], wrong["error"]) == ("fail", "configuration.misuse")
    assert "one of coarse" in wrong["reason"]
    log = one.end()
    assert 'raise ValueError("boom")' in log
    assert "SystemExit" not in log


def test_each_call_works_in_its_own_directory_and_leaves_nothing_to_the_next(worker: Callable[[str], Worker]) -> None:
    one = worker("""
        import random, numpy
        from pathlib import Path

        @stage
        def main(call):
            Path("left").write_text("x")
            seen = os.environ.get("LEAK")
            os.environ["LEAK"] = "1"
            os.environ.pop("HOME", None)
            drawn = [random.random(), float(numpy.random.random()), float(numpy.random.random())]
            return {"outputs": {"left": "left"}, "data": {"seen": seen, "drawn": drawn, "home": "HOME" in os.environ,
                    "path": "PATH" in os.environ, "files": sorted(os.listdir())}}
    """)
    first = one.ask(stage={"seed": 7})
    assert first["outputs"] == [{"name": "left", "path": "left"}]
    assert first["data"]["files"] == ["left"]
    second = one.ask(stage={"seed": 7})
    assert second == first
    assert one.ask(stage={"seed": 8})["data"]["drawn"] != first["data"]["drawn"]
    assert (one.home / "out-1" / "left").is_file()


def test_both_forms_draw_the_same_numbers(make: Make, worker: Callable[[str], Worker]) -> None:
    text = """
        import random, numpy

        @stage
        def main(call):
            return {"data": {"drawn": [random.random(), float(numpy.random.random())]}}
    """
    one = worker(text)
    one.ask(stage={"seed": 1})
    assert one.ask(stage={"seed": 3})["data"] == json.loads(once(make(text), stage={"seed": 3}).stdout)["data"]


def test_with_threads_many_calls_are_in_hand_and_answers_come_in_any_order(worker: Callable[[str], Worker]) -> None:
    one = worker("""
        import threading
        barrier = threading.Barrier(8)

        @stage(threads=8)
        def main(call):
            barrier.wait(30)
            (call.out / "mine").write_text(str(call.item))
            return {"data": {"item": call.item}}
    """)
    numbers = [one.send(item=n) for n in range(16)]
    replies = {reply["id"]: reply["data"]["item"] for reply in (one.receive() for _ in numbers)}
    assert replies == {number: number - 1 for number in numbers}
    assert all((one.home / f"out-{n}" / "mine").read_text() == str(n - 1) for n in numbers)


def test_a_hook_in_both_forms(make: Make, worker: Callable[[str], Worker]) -> None:
    text = """
        @hook
        def main(call):
            if call.body.get("outcome", {}).get("state") == "failed": raise KeyError("x")
            if call.drop.get("bytes", 0) > 100: return {"decision": "deny", "reason": "too large"}
    """
    denied = {"decision": "deny", "reason": "too large"}
    assert json.loads(once(make(text), event="before-run", drop={"bytes": 101}).stdout) == denied
    assert json.loads(once(make(text), event="before-run").stdout) == {}
    assert once(make(text), event="after-run", outcome={"state": "failed"}).returncode == 1
    one = worker(text)
    assert one.ask(event="before-run", drop={"bytes": 101}) == denied
    assert one.ask(event="before-run", stage=None) == {}
    assert one.ask(event="after-run", outcome={"state": "failed"})["status"] == "fail"


def test_sigterm_ends_a_worker_at_once(worker: Callable[[str], Worker]) -> None:
    one = worker("""
        import time

        @stage
        def main(call):
            print("up", file=sys.stderr, flush=True)
            time.sleep(1000)
    """)
    one.send()
    assert one.process.stderr
    assert one.process.stderr.readline() == b"up\n"
    one.process.send_signal(signal.SIGTERM)
    assert one.process.wait(30) == -signal.SIGTERM


def test_a_decorated_function_can_still_be_called() -> None:
    @stage
    def doubled(call: Request) -> Reply:
        """Doubles."""
        if call.item is None:
            raise Refusal("no item")
        return Reply(metrics={"n": call.item * 2})

    @hook
    def allows(_: Request) -> None: ...

    assert doubled(Request("x", body={"item": 2})).metrics == {"n": 4}
    assert doubled.__doc__ == "Doubles."
    assert allows(Request("x")) is None


def test_a_stage_of_the_kit_is_the_same_in_both_forms(tmp_path: Path) -> None:
    drop = tmp_path / "a.csv"
    drop.write_text("a,b\n1,2\n3,4\n")
    body = {"inputs": [{"name": "input", "path": str(drop)}], "stage": {"name": "ingest"}}
    arguments = [sys.executable, "-m", "penstock_stages.tabular.ingest"]
    (tmp_path / "cold").mkdir()
    cold = subprocess.run(
        arguments, input=json.dumps(body | {"out": str(tmp_path / "cold")}), capture_output=True, text=True, check=True
    )
    lines = ""
    for number in (1, 2):
        (tmp_path / f"warm-{number}").mkdir()
        lines += json.dumps(body | {"id": number, "out": str(tmp_path / f"warm-{number}")}) + "\n"
    warm = subprocess.run(
        arguments, input=lines, capture_output=True, text=True, check=True, env=os.environ | {"PENSTOCK_WORKER": "1"}
    )
    replies = [json.loads(line) for line in warm.stdout.splitlines()]
    assert replies == [{"id": number} | json.loads(cold.stdout) for number in (1, 2)]
    assert len({(tmp_path / name / "table.parquet").read_bytes() for name in ("cold", "warm-1", "warm-2")}) == 1
