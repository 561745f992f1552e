"""`make torture`: kills the agent at random under load and checks from outside that nothing was lost or doubled.

A workspace of its own, a pipeline of two stages that write to an effect log, files put in without pause by four kinds
of producer, SIGKILL at random moments; then `up --once` and the invariants, judged from the files, the rows and the
effect log, never from what the agent says. Needs no root. Figures: PENSTOCK_KILLS (default 60), PENSTOCK_SEED.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

PIPELINE = """\
pipeline: { name: torture }
trigger: { inbox: "*" }
stages:
  - { name: first, run: ["./stages/effect.sh", "${input}"] }
  - { name: second, run: ["./stages/effect.sh", "${input}"] }
"""
EFFECT = """\
#!/bin/sh
printf '%s %s %s\\n' "$PENSTOCK_RUN" "$PENSTOCK_STAGE" "$PENSTOCK_ATTEMPT" >> "$PENSTOCK_HOME/effects.log"
sleep 0.0$(( $$ % 7 ))
"""


class Producer(threading.Thread):
    """Drops files of random size in the ways that people do: rename, copy in pieces, `put`, hard rename over."""

    def __init__(self, penstock: pathlib.Path, home: pathlib.Path, chance: random.Random) -> None:
        super().__init__(daemon=True)
        self.penstock, self.home, self.chance = penstock, home, chance
        self.dropped: dict[str, int] = {}
        self.stopped = threading.Event()

    def run(self) -> None:
        count = 0
        while not self.stopped.is_set():
            count += 1
            content = f"{count}-{self.chance.random()}".encode() * self.chance.randint(1, 400)
            self.drop(f"drop {count}.txt", content)
            digest = hashlib.sha256(content).hexdigest()
            self.dropped[digest] = self.dropped.get(digest, 0) + 1
            time.sleep(self.chance.random() * 0.03)

    def drop(self, name: str, content: bytes) -> None:
        inbox = self.home / "inbox"
        way = self.chance.randrange(10)
        if way == 0:
            done = subprocess.run([self.penstock, "put", "-C", self.home, "-", "--as", name], input=content, capture_output=True)
            assert done.returncode == 0, done.stderr
        elif way < 3:
            with (inbox / name).open("wb") as file:
                for start in range(0, len(content), 997):
                    file.write(content[start : start + 997])
                    file.flush()
        else:
            hidden = inbox / f".{name}.part"
            hidden.write_bytes(content)
            hidden.rename(inbox / name)


def main() -> int:
    penstock = pathlib.Path(sys.argv[1]).resolve()
    kills = int(os.environ.get("PENSTOCK_KILLS", "60"))
    seed = int(os.environ.get("PENSTOCK_SEED", str(time.time_ns() % 1_000_000)))
    chance = random.Random(seed)
    print(f"torture: {kills} kills, PENSTOCK_SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="penstock-torture-") as folder:
        home = pathlib.Path(folder)
        prepare(home)
        producer = Producer(penstock, home, random.Random(seed + 1))
        producer.start()
        for number in range(1, kills + 1):
            agent = start(penstock, home, "up")
            time.sleep(0.05 + chance.random() * 1.2)
            agent.send_signal(signal.SIGKILL)
            agent.wait()
            if number % 10 == 0:
                print(f"torture: {number} kills, {len(producer.dropped)} drops", flush=True)
        producer.stopped.set()
        producer.join()
        start(penstock, home, "up", "--once").wait(timeout=600)
        before = snapshot(home)
        start(penstock, home, "up", "--once").wait(timeout=60)
        return judge(home, producer.dropped, before == snapshot(home))


def prepare(home: pathlib.Path) -> None:
    for name in ("inbox", "pipelines", "stages", "hooks", "etc"):
        (home / name).mkdir()
    (home / "etc/penstock.yaml").write_text("settle: 100ms\nconcurrency: 4\n")
    (home / "pipelines/torture.yaml").write_text(PIPELINE)
    (home / "stages/effect.sh").write_text(EFFECT)
    (home / "stages/effect.sh").chmod(0o755)


def start(penstock: pathlib.Path, home: pathlib.Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([penstock, *words, "-C", home], stdout=subprocess.DEVNULL)


def snapshot(home: pathlib.Path) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(home / "var/state.db")) as database:
        return [*database.execute("SELECT * FROM run ORDER BY number"), *database.execute("SELECT * FROM attempt ORDER BY run, stage, n")]


def judge(home: pathlib.Path, dropped: dict[str, int], converged: bool) -> int:
    found: dict[str, int] = {}
    for path in [p for place in ("done", "failed", "quarantine") for p in (home / "var" / place).glob("*/*")]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[digest] = found.get(digest, 0) + 1
    with contextlib.closing(sqlite3.connect(home / "var/state.db")) as database:
        runs = {row[0]: row[1] for row in database.execute("SELECT id, state FROM run")}
        attempts = {
            (run, stage, n): state
            for run, stage, n, state in database.execute(
                "SELECT run.id, stage, n, attempt.state FROM attempt JOIN run ON run.number = attempt.run"
            )
        }
        intact = database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    effects = [tuple(line.split()) for line in (home / "effects.log").read_text().splitlines()]
    unrecorded = [e for e in effects if (e[0], e[1], int(e[2])) not in attempts]
    repeated = [
        key for key, state in attempts.items() if state == "ok" and attempts.get((key[0], key[1], key[2] - 1), "interrupted") != "interrupted"
    ]
    doubled_effects = len(effects) - len(set(effects))
    filed = {p.name for place in ("done", "failed", "quarantine") for p in (home / "var" / place).iterdir()}
    checks = {
        "lost": sum((dropped[d] - found.get(d, 0)) for d in dropped if found.get(d, 0) < dropped[d]),
        "doubled": sum((found[d] - dropped.get(d, 0)) for d in found if found[d] > dropped.get(d, 0)),
        "runs not terminal": sum(state not in ("done", "failed", "quarantined", "cancelled") for state in runs.values()),
        "runs not done": sum(state != "done" for state in runs.values()),
        "runs without a filed drop": len(set(runs) - filed),
        "filed drops without a run": len(filed - set(runs)),
        "unrecorded executions": len(unrecorded),
        "executions of one attempt twice": doubled_effects,
        "repeated without an interruption": len(repeated),
        "left in work": len(list((home / "var/work").iterdir())),
        "left in the inbox": len(list((home / "inbox").iterdir())),
        "database damaged": int(not intact),
        "second restart changed rows": int(not converged),
    }
    interrupted = sum(state == "interrupted" for state in attempts.values())
    print(f"torture: {sum(dropped.values())} drops, {len(runs)} runs, {len(attempts)} attempts, {interrupted} interrupted")
    for name, count in checks.items():
        print(f"  {name:<34}{count:>6}")
    return 1 if any(checks.values()) else 0


sys.exit(main())
