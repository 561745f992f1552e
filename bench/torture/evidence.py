"""What can be seen of a workspace from outside: files, rows, the effect log, processes. Nothing the agent says."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import sqlite3
import stat

PLACES = ("done", "failed", "quarantine")
ENDED = ("done", "failed", "cancelled", "quarantined")


@dataclasses.dataclass(frozen=True)
class Effect:
    """One line of the effect log: S began, E came through, X met another program of its run."""

    kind: str
    run: str
    stage: str
    attempt: int
    event: str
    mode: str
    pid: int
    at: int
    digest: int

    @property
    def key(self) -> tuple[str, str, int]:
        return self.run, self.stage, self.attempt


@dataclasses.dataclass
class Filed:
    """What lies in one directory of done, failed, quarantine or work."""

    place: str
    run: str
    files: dict[bytes, str]


Row = dict[str, object]


class Rows:
    """The tables, as they stand; opened read-only."""

    def __init__(self, path: pathlib.Path) -> None:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            self.runs = {str(row["id"]): dict(row) for row in database.execute("SELECT * FROM run ORDER BY number")}
            self.attempts = [
                dict(row)
                for row in database.execute(
                    "SELECT attempt.*, run.id FROM attempt JOIN run ON run.number = attempt.run ORDER BY attempt.run, stage, n"
                )
            ]
            self.artifacts = [
                dict(row)
                for row in database.execute(
                    "SELECT artifact.*, run.id FROM artifact JOIN run ON run.number = artifact.run"
                )
            ]
            self.calls = [
                dict(row)
                for row in database.execute(
                    "SELECT hook_call.*, run.id AS owner FROM hook_call LEFT JOIN run ON run.number = hook_call.run"
                )
            ]
            self.damage = [row[0] for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
            self.damage += [
                f"foreign key of {row[0]} row {row[1]}" for row in database.execute("PRAGMA foreign_key_check")
            ]
            counted = {(row[0], row[1]): row[2] for row in database.execute("SELECT * FROM run_count WHERE count > 0")}
            real = {
                (row[0], row[1]): row[2]
                for row in database.execute("SELECT pipeline, state, count(*) FROM run GROUP BY 1, 2")
            }
            if counted != real:
                self.damage.append(f"run_count says {counted}, and there are {real}")

    def of_run(self, run: str) -> list[Row]:
        return [row for row in self.attempts if row["id"] == run]


def effects(folder: pathlib.Path) -> list[Effect]:
    try:
        lines = (folder / "log").read_text().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        word = line.split(" ")
        attempt = int(word[3]) if word[3].isdigit() else 0
        found.append(
            Effect(word[0], word[1], word[2], attempt, word[4], word[5], int(word[6]), int(word[7]), int(word[8], 16))
        )
    return found


def sha256(path: bytes) -> str:
    """Of a plain file; of anything else its kind."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return "link"
    if not stat.S_ISREG(mode):
        return "special"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def below(folder: pathlib.Path) -> dict[bytes, str]:
    """Every name in a directory, with the digest of what it names."""
    path = os.fsencode(folder)
    try:
        names = os.listdir(path)
    except FileNotFoundError:
        return {}
    return {
        name: "directory" if os.path.isdir(p := os.path.join(path, name)) and not os.path.islink(p) else sha256(p)
        for name in names
    }


def filed(home: pathlib.Path) -> list[Filed]:
    found = []
    for place in (*PLACES, "work"):
        folder = home / "var" / place
        found += [Filed(place, os.fsdecode(name), below(folder / os.fsdecode(name))) for name in below(folder)]
    return found


def leftovers(home: pathlib.Path) -> list[str]:
    """Processes that still belong to the workspace."""
    mark = os.fsencode(home)
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            text = pathlib.Path(entry.path, "cmdline").read_bytes() + pathlib.Path(entry.path, "environ").read_bytes()
            state = pathlib.Path(entry.path, "stat").read_text().rsplit(")", 1)[1].split()[0]
            if mark in text and state != "Z":
                found.append(f"{entry.name} {pathlib.Path(entry.path, 'comm').read_text().strip()}")
    return found


def tree(home: pathlib.Path) -> list[tuple[str, int, str]]:
    """All of `inbox/` and `var/` but the logs and what a second start may touch."""
    found = []
    for top in ("inbox", "var"):
        for folder, folders, names in os.walk(os.fsencode(home / top)):
            files = names
            if os.fsdecode(folder) == str(home / "var"):
                folders[:] = [name for name in folders if name != b"logs"]
                files = [name for name in names if not name.startswith((b"state.db", b"agent.lock", b"penstock.sock"))]
            for name in [*files, *folders]:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                size = status.st_size if stat.S_ISREG(status.st_mode) else 0
                found.append((repr(path), size, str(status.st_ino)))
    return sorted(found)


def tables(path: pathlib.Path) -> list[tuple[object, ...]]:
    """All rows but those that say which agent runs."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        names = [
            row[0]
            for row in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        kept = sorted(name for name in names if name not in {"agent", "grdb_migrations"})
        return [(name, *row) for name in kept for row in database.execute(f'SELECT * FROM "{name}"')]
