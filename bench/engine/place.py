"""A workspace for one benchmark of the engine: the program at work in it, runs started by a drop, the state read."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 300.0

SETTINGS = "settle: 50ms\nsettle_moved: 10ms\nreserve: 1MiB\n"


class Failed(Exception):
    """A benchmark that did not come to its figures."""


def compiled(source: str, folder: pathlib.Path) -> pathlib.Path:
    """A C program of this folder, built."""
    target = folder / pathlib.Path(source).stem
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", str(target), str(HERE / source)], check=True)
    return target


class Place:
    """A workspace and its agent."""

    def __init__(self, program: pathlib.Path, home: pathlib.Path) -> None:
        self.program, self.home = program, home
        for folder in ("inbox", "pipelines", "stages/bench", "etc", "hooks"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "etc/penstock.yaml").write_text(SETTINGS)
        self.agent: subprocess.Popen[bytes] | None = None

    def write(self, name: str, text: str) -> None:
        """A file of the workspace."""
        (self.home / name).write_text(text)

    @contextmanager
    def up(self) -> Iterator[subprocess.Popen[bytes]]:
        """An agent that takes drops in; stopped at the end."""
        environment = {"PATH": "/usr/bin:/bin", "TZ": "UTC", "PENSTOCK_KIT": str(self.home / "stages")}
        with (self.home / "agent.log").open("ab") as log:
            agent = subprocess.Popen(
                [str(self.program), "up", "-C", str(self.home)], stdout=log, stderr=log, env=environment
            )
        try:
            begun = time.monotonic()
            while not (self.home / "var/penstock.sock").exists():
                if agent.poll() is not None or time.monotonic() - begun > LIMIT:
                    raise Failed((self.home / "agent.log").read_text()[-2000:])
                time.sleep(0.02)
            time.sleep(0.5)
            yield agent
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(LIMIT)

    def drop(self, name: str, text: str) -> float:
        """Drops a file by rename; the moment of it, monotonic."""
        draft = self.home / f".{name}"
        draft.write_text(text)
        moment = time.monotonic()
        os.rename(draft, self.home / "inbox" / name)
        return moment

    def state(self) -> sqlite3.Connection:
        """What is recorded, for reading."""
        return sqlite3.connect(f"file:{self.home}/var/state.db?mode=ro", uri=True)

    def awaited(self, number: int) -> float:
        """Waits for the end of a run that is known by now, asking nothing meanwhile; the moment of it, monotonic."""
        state = self.state()
        try:
            run = state.execute("SELECT id FROM run WHERE number = ?", (number,)).fetchone()[0]
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(str(self.home / "var/penstock.sock"))
                link.sendall(json.dumps({"op": "wait", "run": run}).encode() + b"\n")
                while link.recv(1 << 16):
                    pass
            moment = time.monotonic()
            ended, reason = state.execute("SELECT state, reason FROM run WHERE number = ?", (number,)).fetchone()
            if ended != "done":
                raise Failed(f"a run did not come through: {ended}, {reason}")
            return moment
        finally:
            state.close()

    def ended(self, count: int, pace: float = 0.001, limit: float = LIMIT) -> float:
        """Waits until so many runs have ended; the moment it was seen, monotonic."""
        state = self.state()
        begun = time.monotonic()
        try:
            while time.monotonic() - begun < limit:
                rows = state.execute("SELECT state, reason FROM run WHERE ended IS NOT NULL").fetchall()
                if any(row[0] != "done" for row in rows):
                    raise Failed(f"a run did not come through: {rows}")
                if len(rows) >= count:
                    return time.monotonic()
                time.sleep(pace)
        finally:
            state.close()
        raise Failed(f"no end within {limit} s: {(self.home / 'agent.log').read_text()[-2000:]}")
