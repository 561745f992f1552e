"""`make demo`: a real data set from the inbox through a whole pipeline to a model and a report.

Exports a data set that scikit-learn carries to a CSV, starts the agent, drops the file with `penstock put`, waits for
the run, and shows the status table, the numbers and where the report lies. It stops what it started.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time

HOME = pathlib.Path(__file__).resolve().parent.parent
DATA = "breast_cancer"
NAME = "classify-breast-cancer.csv"


def main() -> int:
    penstock = pathlib.Path(sys.argv[1]).resolve()

    def ask(*words: str) -> dict[str, object]:
        done = subprocess.run([penstock, *words, "-C", HOME, "--json"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def runs_here() -> bool:
        agent = ask("status").get("agent")
        return isinstance(agent, dict) and bool(agent.get("running"))

    def show(*words: str) -> int:
        return subprocess.run([penstock, *words, "-C", HOME], check=False).returncode

    with tempfile.TemporaryDirectory(prefix="penstock-demo-") as folder:
        source = pathlib.Path(folder) / NAME
        say(f"exporting `{DATA}` (real data bundled with scikit-learn) to a CSV")
        subprocess.run([sys.executable, HOME / "samples" / "export.py", DATA, source], check=True, stdout=subprocess.DEVNULL)
        running = runs_here()
        agent = None if running else subprocess.Popen([penstock, "up", "-C", HOME])
        try:
            say("an agent runs here already: using it" if running else "starting the agent: penstock up")
            if agent and not wait(lambda: runs_here() or agent.poll() is not None, 30):
                say("the agent did not start within 30 s")
                return 1
            if agent and agent.poll() is not None:
                return 1
            before = newest(ask)
            say(f"dropping the file: penstock put {NAME}")
            if show("put", str(source)) != 0:
                return 1
            if not wait(lambda: newest(ask) > before and state(ask, newest(ask)) in ENDED, 300):
                say("the run did not end within 5 minutes")
                return 1
            number = newest(ask)
        finally:
            if agent and agent.poll() is None:
                agent.terminate()
                agent.wait(timeout=60)
    return report(ask("show", str(number)), number, show)


ENDED = {"done", "failed", "cancelled", "quarantined"}


def newest(ask) -> int:  # type: ignore[no-untyped-def]
    runs = ask("runs", "--limit", "1").get("runs") or []
    return int(runs[0]["number"]) if runs else 0


def state(ask, number: int) -> str:  # type: ignore[no-untyped-def]
    return str(ask("show", str(number)).get("state"))


def wait(condition, seconds: float) -> bool:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return False


def report(run: dict, number: int, show) -> int:  # type: ignore[no-untyped-def,type-arg]
    print()
    show("status")
    print()
    print(f"run {number} of pipeline `{run['pipeline']}`: {run['state']}" + (f": {run['reason']}" if run["reason"] else ""))
    for stage in run["stages"]:
        if stage["name"] == "evaluate":
            for name, value in sorted(stage["metrics"].items()):
                print(f"  {name:<24} {value:.4f}" if isinstance(value, float) else f"  {name:<24} {value}")
    reports = [HOME / "var" / "runs" / run["id"] / item["path"] for item in run["artifacts"] if item["name"] == "report"]
    if run["state"] != "done" or not reports:
        return 1
    print(f"report: {reports[0]}")
    print(f"more:   {sys.argv[1]} show {number}")
    return 0


def say(text: str) -> None:
    print(f"demo: {text}", flush=True)


sys.exit(main())
