"""What a warm Python stage costs over its function, against the same stage begun anew each time.

    python3 bench/engine/warm.py PENSTOCK [--runs 20] [--kit stages] [--check]

A pipeline of ten stages in a row, all one registered stage in Python, that times its own function (2 ms of waiting).
The workspace lies on /dev/shm, where a commit costs next to nothing: what is left is the agent. Two figures: `a call`
is the attempt's wall time less the function's own, which is the pipe, the worker's loop and two wake-ups; `a stage` is
the time from one attempt's function to the next one's, less the function, which is all the agent does for a stage: its
directory, its rows, its events, its outcome. With --kit also the kit's own `tabular/ingest`, whose imports a cold
process pays for each time. With --check it exits 1 where a warm stage costs 2 ms or more.
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile

STAGES = 10

MANIFEST = """stage: bench/timed
version: 1.0.0
summary: "waits 2 ms and says how long that took"
run: ["/usr/bin/python3", "{program}"]
persistent: {persistent}
files: [bench/timed.py]
"""

PROGRAM = """import json, os, sys, time

def answer(call):
    begun = time.time()
    time.sleep(0.002)
    ended = time.time()
    return {"metrics": {"begun": begun, "ended": ended}}

if os.environ.get("PENSTOCK_WORKER") == "1":
    for line in sys.stdin:
        call = json.loads(line)
        os.write(1, (json.dumps({"id": call["id"]} | answer(call)) + "\\n").encode())
else:
    print(json.dumps(answer(json.load(sys.stdin))))
"""

INGEST = """stage: bench/ingest
version: 1.0.0
summary: "the kit's ingest"
run: ["{kit}/.venv/bin/python", "-m", "penstock_stages.tabular.ingest"]
persistent: {persistent}
"""


def attempts(home: pathlib.Path) -> list[list[sqlite3.Row]]:
    """The attempts of each run, in their order."""
    with sqlite3.connect(f"file:{home}/var/state.db?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM attempt ORDER BY run, started, stage").fetchall()
    runs: dict[int, list[sqlite3.Row]] = {}
    for row in rows:
        if row["state"] != "ok":
            sys.exit(f"an attempt of {row['stage']} is {row['state']}: {row['reason']}")
        runs.setdefault(row["run"], []).append(row)
    return list(runs.values())


def measured(penstock: pathlib.Path, manifest: str, uses: str, stages: int, runs: int) -> list[list[sqlite3.Row]]:
    """Runs a pipeline of equal stages so often, one run after the other."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="penstock-warm-") as folder:
        home = pathlib.Path(folder)
        for name in ("inbox", "pipelines", "stages/bench", "etc", "hooks"):
            (home / name).mkdir(parents=True)
        (home / "etc/penstock.yaml").write_text("settle_moved: 0s\nreserve: 1MiB\nconcurrency: 1\n")
        (home / "stages/bench/timed.py").write_text(PROGRAM)
        (home / f"stages/{uses}.yaml").write_text(manifest.replace("{program}", str(home / "stages/bench/timed.py")))
        rows = "\n".join(f"  - {{ name: s{n:02}, uses: {uses} }}" for n in range(stages))
        text = f'pipeline: {{ name: p }}\ntrigger: {{ inbox: "*.csv" }}\nstages:\n{rows}\n'
        (home / "pipelines/p.yaml").write_text(text)
        for number in range(runs):
            draft = home / f"inbox/.{number}"
            draft.write_text("a,b\n1,2\n3,4\n")
            draft.rename(home / f"inbox/{number}.csv")
        environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "PENSTOCK_KIT": str(home / "stages")}
        done = subprocess.run(
            [penstock, "up", "--once", "-C", home], capture_output=True, text=True, env=environment, check=False
        )
        if done.returncode:
            sys.exit(f"the agent ended with {done.returncode}: {done.stderr[-2000:]}")
        return attempts(home)


def timed(penstock: pathlib.Path, persistent: bool, runs: int) -> tuple[float, float]:
    """Milliseconds over the function: a call, and a stage; medians."""
    manifest = MANIFEST.replace("{persistent}", str(persistent).lower())
    calls: list[float] = []
    stages: list[float] = []
    # the first run of a worker pays for its start
    for run in measured(penstock, manifest, "bench/timed", STAGES, runs + 1)[1:]:
        moments = [json.loads(row["metrics"]) for row in run]
        calls += [row["wall_s"] - (m["ended"] - m["begun"]) for row, m in zip(run, moments, strict=True)]
        stages += [after["begun"] - before["ended"] for before, after in itertools.pairwise(moments)]
    return statistics.median(calls) * 1000, statistics.median(stages) * 1000


def ingested(penstock: pathlib.Path, kit: pathlib.Path, persistent: bool, runs: int) -> float:
    """Milliseconds of the kit's ingest of a tiny table; the median without the first."""
    manifest = INGEST.replace("{kit}", str(kit)).replace("{persistent}", str(persistent).lower())
    found = measured(penstock, manifest, "bench/ingest", 1, runs + 1)
    return statistics.median(float(row["wall_s"]) for run in found[1:] for row in run) * 1000


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("penstock", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kit", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    penstock = options.penstock.resolve()
    warm, cold = timed(penstock, True, options.runs), timed(penstock, False, options.runs)
    print(f"a Python stage over its own function, median of {options.runs} runs of {STAGES} stages, commits on tmpfs")
    print(f"{'':24}{'warm':>10}{'cold':>10}{'ratio':>8}")
    for name, one, other in (("a call", warm[0], cold[0]), ("a stage", warm[1], cold[1])):
        print(f"{name:24}{one:7.2f} ms{other:7.1f} ms{other / one:7.0f}x")
    if options.kit:
        kit = options.kit.resolve()
        one, other = ingested(penstock, kit, True, 5), ingested(penstock, kit, False, 5)
        print(f"{'tabular/ingest, whole':24}{one:7.2f} ms{other:7.1f} ms{other / one:7.0f}x")
    if options.check and warm[1] >= 2:
        sys.exit(f"a warm stage costs {warm[1]:.2f} ms over its function; 2 ms are the most")


if __name__ == "__main__":
    main()
