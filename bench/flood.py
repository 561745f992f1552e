"""A flood of drops: how soon all are claimed durably, in how much memory, and that each runs once.

Several writers drop PENSTOCK_DROPS files (default 100,000), half of them by rename and half by plain writing, while the
agent works; with PENSTOCK_BEFORE=1 they lie there before it starts. Memory is read from /proc, claims and ends from the
database, and the outcome is judged from the files and rows outside. PENSTOCK_CLAIMS_ONLY=1 stops when all are claimed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

DROPS = int(os.environ.get("PENSTOCK_DROPS", "100000"))
WRITERS = int(os.environ.get("PENSTOCK_WRITERS", "4"))
BEFORE = os.environ.get("PENSTOCK_BEFORE") == "1"
CLAIMS_ONLY = os.environ.get("PENSTOCK_CLAIMS_ONLY") == "1"
PIPELINE = 'pipeline: { name: flood }\ntrigger: { inbox: "*.txt" }\nstages:\n  - { name: noop, run: ["/bin/true"] }\n'


def write(inbox: pathlib.Path, first: int) -> None:
    for number in range(first, DROPS, WRITERS):
        name = f"{number:07}.txt"
        if number // WRITERS % 2:
            (inbox / name).write_text(name)
        else:
            (inbox / f".{name}").write_text(name)
            (inbox / f".{name}").rename(inbox / name)


def drop_all(inbox: pathlib.Path) -> list[multiprocessing.Process]:
    writers = [multiprocessing.Process(target=write, args=(inbox, first)) for first in range(WRITERS)]
    for writer in writers:
        writer.start()
    return writers


def memory(pid: int, field: str) -> float:
    """Of one process, in MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0


def counts(home: pathlib.Path) -> tuple[int, int]:
    """Runs that are recorded, and those that are done."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{home}/var/state.db?mode=ro", uri=True)) as database:
        rows = dict(database.execute("SELECT state, sum(count) FROM run_count GROUP BY state").fetchall())
        return sum(rows.values()), rows.get("done", 0)
    return 0, 0


def judge(home: pathlib.Path) -> dict[str, int]:
    """What is wrong, counted from outside."""
    found: dict[str, int] = {}
    changed = 0
    for folder in os.scandir(home / "var/done"):
        for file in os.scandir(folder.path):
            found[file.name] = found.get(file.name, 0) + 1
            changed += pathlib.Path(file.path).read_text() != file.name
    with contextlib.closing(sqlite3.connect(home / "var/state.db")) as database:
        runs = database.execute("SELECT count(*), count(DISTINCT drop_name), sum(state = 'done') FROM run").fetchone()
        attempts = database.execute("SELECT count(*), sum(state = 'ok') FROM attempt").fetchone()
    return {
        "lost": DROPS - len(found),
        "doubled": sum(count - 1 for count in found.values()),
        "changed": changed,
        "runs too many": runs[0] - DROPS,
        "drops with two runs": runs[0] - runs[1],
        "runs not done": DROPS - runs[2],
        "attempts too many": attempts[0] - DROPS,
        "left in the inbox": len(os.listdir(home / "inbox")),
        "left in work": len(os.listdir(home / "var/work")),
    }


def main() -> int:
    penstock = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="penstock-flood-") as folder:
        home = pathlib.Path(folder)
        for name in ("inbox", "pipelines", "etc"):
            (home / name).mkdir()
        (home / "etc/penstock.yaml").write_text("concurrency: 4\n")
        (home / "pipelines/flood.yaml").write_text(PIPELINE)
        start = time.monotonic()
        writers = drop_all(home / "inbox") if BEFORE else []
        for writer in writers:
            writer.join()
        if BEFORE:
            print(f"flood: {DROPS:,} drops lie there after {time.monotonic() - start:.0f} s", flush=True)
        agent = subprocess.Popen([penstock, "up", "-C", home], stdout=subprocess.DEVNULL)
        try:
            while not (home / "var/penstock.sock").exists():
                time.sleep(0.01)
            start = time.monotonic()
            if not BEFORE:
                writers = drop_all(home / "inbox")
            return follow(home, agent, writers, start)
        finally:
            agent.kill() if CLAIMS_ONLY else agent.terminate()
            agent.wait(timeout=120)


def follow(home: pathlib.Path, agent: subprocess.Popen[bytes], writers: list[multiprocessing.Process], start: float) -> int:
    dropped = claimed = 0.0
    done, told = 0, start
    while agent.poll() is None:
        now = time.monotonic()
        if not dropped and not any(writer.is_alive() for writer in writers):
            dropped = now
        recorded, done = counts(home)
        if not claimed and recorded >= DROPS:
            claimed = now
            print(f"flood: all claimed {claimed - dropped:.1f} s after the last drop ({claimed - start:.1f} s after the first)", flush=True)
        if now - told > 10:
            told = now
            print(f"flood: {now - start:5.0f} s {recorded:>9,} claimed {done:>9,} done {memory(agent.pid, 'VmRSS'):6.0f} MiB", flush=True)
        if claimed and (CLAIMS_ONLY or done >= DROPS):
            break
        time.sleep(0.25)
    seconds = time.monotonic() - start
    peak = memory(agent.pid, "VmHWM") if agent.poll() is None else 0
    print(f"flood of {DROPS:,} drops by {WRITERS} writers")
    print(f"  {'dropped in':<34}{dropped - start:>8.1f} s")
    print(f"  {'claimed after the last drop':<34}{claimed - dropped:>8.1f} s")
    print(f"  {'done':<34}{done:>8,} in {seconds:.1f} s")
    print(f"  {'largest memory of the agent':<34}{peak:>8.1f} MiB")
    if CLAIMS_ONLY:
        return 0 if claimed else 1
    while os.listdir(home / "var/work") and time.monotonic() - start < seconds + 60:
        time.sleep(0.1)
    wrong = judge(home)
    for name, count in wrong.items():
        print(f"  {name:<34}{count:>8}")
    return 1 if any(wrong.values()) else 0


sys.exit(main())
