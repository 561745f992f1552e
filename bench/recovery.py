"""How soon an agent works again after a death with 10,000 runs in flight.

A workspace of its own: a third of the runs running with an attempt that died, a third queued, a third waiting for their
next try, each drop in `var/work/`, 200 claims more that no row knows, and one new drop in the inbox whose pipeline goes
first. Measured from exec to the first attempt taken up and to the stage of the first new run.

    bench/recovery.py .build/release/penstock [--runs 10000]
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time

TIMES = 5
OLD = """\
pipeline: { name: old }
trigger: { inbox: "*.csv" }
stages:
  - { name: only, run: ["./stages/mark.sh"] }
"""
NEW = """\
pipeline: { name: new }
trigger: { inbox: "*.now", priority: 10 }
stages:
  - { name: only, run: ["./stages/mark.sh"] }
"""
MARK = '#!/bin/sh\n[ -e "$PENSTOCK_HOME/first-$PENSTOCK_PIPELINE" ] || : > "$PENSTOCK_HOME/first-$PENSTOCK_PIPELINE"\n'

RUNS = """
INSERT INTO run (id, pipeline, version, state, "trigger", drop_name, drop_bytes, drop_sha256, captures, options, created,
  started, resumes)
VALUES (:id, 'old', (SELECT digest FROM pipeline_version WHERE name = 'old'), :state, 'drop', :name, 8, :sha, '{}',
  '{"granularity":{},"set":{},"useCache":true}', :at, iif(:state = 'running', :at, NULL),
  iif(:state = 'waiting', :at + 3600000, NULL))
"""
ATTEMPT = """
INSERT INTO attempt (run, stage, n, state, granularity, granularity_authority, granularity_reason, seed, started,
  metrics, data, boot)
SELECT number, 'only', 1, 'running', 'coarse', 'standard', 'nothing says otherwise', 42, created, '{}', '{}', 'b0a7'
FROM run WHERE state = 'running'
"""


def identity(number: int) -> str:
    return f"01a00000-0000-7000-8000-{number:012d}"


def make(penstock: pathlib.Path, home: pathlib.Path, runs: int) -> None:
    for name in ("inbox", "pipelines", "stages", "etc"):
        (home / name).mkdir(parents=True)
    (home / "etc/penstock.yaml").write_text("reserve: 1MiB\nsettle_moved: 0s\ndrain: 100ms\n")
    (home / "pipelines/old.yaml").write_text(OLD)
    (home / "pipelines/new.yaml").write_text(NEW)
    (home / "stages/mark.sh").write_text(MARK)
    (home / "stages/mark.sh").chmod(0o755)
    subprocess.run([penstock, "up", "--once", "-C", home], check=True, stdout=subprocess.DEVNULL)
    now = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(home / "var/state.db")) as database, database:
        for number in range(runs):
            state = ("running", "queued", "waiting")[number % 3]
            work(home, number)
            database.execute(
                RUNS,
                {
                    "id": identity(number),
                    "state": state,
                    "name": f"{number}.csv".encode(),
                    "sha": "0" * 64,
                    "at": now - runs + number,
                },
            )
        database.execute(ATTEMPT)
        database.execute("UPDATE agent SET ended = NULL")
    for number in range(runs, runs + 200):
        work(home, number)


def work(home: pathlib.Path, number: int) -> None:
    own = home / "var/work" / identity(number)
    own.mkdir(mode=0o700)
    (own / f"{number}.csv").write_text("a,b\n1,2\n")


def measure(penstock: pathlib.Path, home: pathlib.Path) -> dict[str, float]:
    (home / "inbox/.x").write_text("a,b\n1,2\n")
    (home / "inbox/.x").rename(home / "inbox/x.now")
    start = time.monotonic()
    agent = subprocess.Popen([penstock, "up", "-C", home], stdout=subprocess.DEVNULL)
    found: dict[str, float] = {}
    marks = {"first attempt taken up": home / "first-old", "first new run at work": home / "first-new"}
    try:
        while len(found) < len(marks):
            for name, path in marks.items():
                if name not in found and path.exists():
                    found[name] = time.monotonic() - start
            if time.monotonic() - start > 120:
                raise SystemExit(f"not within 120 s, only {found}")
            time.sleep(0.002)
    finally:
        agent.kill()
        agent.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("penstock", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=10_000)
    arguments = parser.parse_args()
    penstock = arguments.penstock.resolve()
    with tempfile.TemporaryDirectory(prefix="penstock-recovery-") as folder:
        made = pathlib.Path(folder) / "made"
        make(penstock, made, arguments.runs)
        found: list[dict[str, float]] = []
        for turn in range(TIMES):
            home = pathlib.Path(folder) / str(turn)
            shutil.copytree(made, home)
            found.append(measure(penstock, home))
    print(f"{arguments.runs:,} runs in flight, 200 claims without a row; seconds after exec, {TIMES} times")
    print(f"{'':<28}{'median':>8}{'longest':>9}")
    for name in sorted(found[0], key=lambda name: found[0][name]):
        times = [one[name] for one in found]
        print(f"{name:<28}{statistics.median(times):>8.2f}{max(times):>9.2f}")


main()
