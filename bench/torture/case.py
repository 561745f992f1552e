"""One point: a workspace made anew, an agent that meets its end in it, another that takes up what it left."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

from expectation import Drop, Workload

SETTINGS = "settle: 0s\nsettle_moved: 0s\nsettle_empty: 0s\nreserve: 1MiB\ngrace: 100ms\nenv: [EFFECTS]\n"
# a stage that stays; it learns from its stdin what another has in its environment
WARM = """
stage: warm
version: 1.0.0
summary: "a worker"
run: ["${kit}/effect", "warm"]
params: { type: object, properties: {} }
inputs: [input]
outputs: []
persistent: true
"""
LIMIT = 40
# what `gc` may forget: never what is open or a quarantine that nobody has seen, nor the newest ten of a pipeline and state
OLD = """
    SELECT id FROM (
      SELECT id, state, row_number() OVER (PARTITION BY pipeline, state ORDER BY number DESC) AS place FROM run WHERE ended IS NOT NULL
    ) WHERE place > 10 AND state <> 'quarantined'
"""
# later runs may read what these left
LATEST = "SELECT id FROM run WHERE number IN (SELECT max(number) FROM run WHERE state = 'done' GROUP BY pipeline)"
# what the agent says of itself: see ExitCodes.swift
CODES = {0, 1, 4, 70, 75, 78, -signal.SIGKILL, 128 + signal.SIGKILL}


@dataclasses.dataclass
class Accepted:
    """A drop that was whole in the inbox, and durable where that matters."""

    drop: Drop
    sha256: str
    fnv: int


def accepted(drop: Drop, content: bytes) -> Accepted:
    return Accepted(drop, hashlib.sha256(content).hexdigest(), fnv(content))


class Case:
    """A workspace, the effect log beside it, and what was dropped."""

    def __init__(
        self, workload: Workload, root: pathlib.Path, programs: pathlib.Path, home: pathlib.Path | None = None
    ) -> None:
        self.workload = workload
        self.root = root
        self.programs = programs
        self.home = home or root / "home"
        self.effects = root / "effects"
        self.database = self.home / "var/state.db"
        self.environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "EFFECTS": str(self.effects)}
        self.inbox_from: pathlib.Path | None = None
        self.accepted: list[Accepted] = []
        self.said: list[str] = []
        self.complaints: list[str] = []
        # runs that had ended before anything happened: only these may be forgotten by `gc`
        self.recorded: set[str] = set()
        self.ended: set[str] = set()
        self.latest: set[str] = set()
        # second names of drops, which nobody may touch
        self.others: dict[pathlib.Path, str] = {}
        # drops whose bytes their producer did not sync
        self.unsynced: list[Accepted] = []
        self.injects_errors = False
        self.was_crashed = False
        self._count = 0

    def may_be_cleared(self, run: str) -> bool:
        """Whether what the run left is old enough for `gc`, and no later run reads it."""
        return run in self.recorded - self.latest and "gc" in self.workload.command

    def use_database(self, path: pathlib.Path) -> None:
        self.database = path
        self.environment["PENSTOCK_FAILPOINT_DATABASE"] = str(path)

    def make(self) -> None:
        self.effects.mkdir(parents=True)
        for name in ("inbox", "pipelines", "stages", "hooks", "etc", "samples"):
            (self.home / name).mkdir(parents=True)
        self.mount()
        (self.home / "etc/penstock.yaml").write_text(SETTINGS + self.workload.settings)
        shutil.copy(self.programs / "effect", self.home / "stages/effect")
        if any(stage.mode == "warm" for pipeline in self.workload.pipelines for stage in pipeline.stages):
            (self.home / "stages/warm.yaml").write_text(WARM)
        for pipeline in self.workload.pipelines:
            (self.home / f"pipelines/{pipeline.name}.yaml").write_text(pipeline.yaml)
        for event, name in self.workload.folders:
            folder = self.home / f"hooks/{event}.d"
            folder.mkdir(exist_ok=True)
            shutil.copy(self.programs / "effect", folder / name)
        (self.home / "samples/source.csv").write_text("a,b\n1,2\n")
        (self.home / "samples/mine.csv").write_text("by hand\n")
        for drop in self.workload.drops:
            self.put(drop)
        for words in self.workload.before:
            if words == ("pause",):
                time.sleep(1.05)
            else:
                self.run(words)
        if self.workload.before:
            with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
                self.recorded = {row[0] for row in database.execute("SELECT id FROM run")}
                self.ended = {row[0] for row in database.execute(OLD)}
                self.latest = {row[0] for row in database.execute(LATEST)}

    def put(self, drop: Drop, *, sync: bool = True) -> None:
        """Drops as a careful producer does: a hidden name first; passes over a name that is still taken."""
        self._count += 1
        target = os.path.join(os.fsencode(self.home / "inbox"), drop.name)
        if os.path.lexists(target):
            return
        content = b"%d %s\n" % (self._count, drop.name)
        content = drop.content or content * (1 + drop.size // len(content))
        if drop.kind == "link":
            os.symlink(self.home / "samples/source.csv", target)
        else:
            hidden = target + b".part"
            with open(hidden, "wb") as file:
                file.write(content)
                if sync and drop.size < 1 << 20:
                    os.fsync(file.fileno())
            if drop.kind == "hard":
                other = self.home / f"samples/{self._count}-{drop.name.decode()}"
                os.link(hidden, other)
                self.others[other] = hashlib.sha256(content).hexdigest()
            os.rename(hidden, target)
        if drop.kind != "seal":
            self.accepted.append(accepted(drop, content))

    def words(self, words: tuple[str, ...]) -> list[str]:
        spelled = [word.replace("{home}", str(self.home)) for word in words]
        return [str(self.programs / "penstock"), *spelled, "-C", str(self.home)]

    def run(self, words: tuple[str, ...], *, before: tuple[str, ...] = (), limit: float = LIMIT, **more: str) -> int:
        """Runs a command of the agent's program; says what it said only where something is found wrong."""
        command = [*before, *self.words(words)]
        program = subprocess.Popen(
            command,
            env=self.environment | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.root,
        )
        try:
            output, _ = program.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            end(program)
            output, _ = program.communicate()
            if not self.injects_errors:
                self.complaints.append(f"other: `penstock {' '.join(words)}` did not end within {limit:g} s")
        code = program.returncode
        self.said.append(
            f"$ penstock {' '.join(words)}  # {more} {' '.join(before)}\n{output.decode(errors='replace')}(exit {code})"
        )
        # 127: an injected error kept the loader from a library
        if code not in CODES and not (self.injects_errors and code == 127):
            self.complaints.append(
                f"other: `penstock {' '.join(words)}` ended with {code}, which is no documented exit code"
            )
        return code

    def strike(self, *, before: tuple[str, ...] = (), limit: float = LIMIT, **more: str) -> int:
        """The run in which something happens to the agent."""
        self.was_crashed = True
        return self.command(before=before, limit=limit, **more)

    def command(self, *, before: tuple[str, ...] = (), limit: float = LIMIT, **more: str) -> int:
        """What the workload is about; a `put` that says it is done has dropped what is promised from then on."""
        code = self.run(self.workload.command, before=before, limit=limit, **more)
        if code == 0 and self.workload.puts:
            content = (self.home / "samples/mine.csv").read_bytes()
            self.accepted.append(accepted(self.workload.puts, content))
        return code

    def take_up(self) -> None:
        """Another agent takes up what was left, and late drops with it, until nothing is to be done."""
        for drop in self.workload.late:
            self.put(drop)
        self.finish()

    def finish(self) -> None:
        """Lets agents work until nothing waits for a time; what is held by its policy is cancelled, as a person would."""
        for _ in range(6):
            code = self.run(("up", "--once"))
            if code not in (0, 1):
                self.complaints.append(f"other: the agent that takes up ended with {code}")
            deferred = self._waiting("resumes IS NOT NULL")
            if not deferred:
                break
            time.sleep(0.06)
        for number in self._waiting("resumes IS NULL"):
            self.run(("cancel", str(number)))

    def _waiting(self, condition: str) -> list[int]:
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as database:
                return [
                    row[0]
                    for row in database.execute(f"SELECT number FROM run WHERE state = 'waiting' AND {condition}")
                ]
        except sqlite3.Error:
            return []

    def mount(self) -> None:
        """Gives an inbox of another filesystem: one in memory, or a directory of `inbox_from`."""
        if not self.workload.is_foreign:
            return
        if self.inbox_from:
            self.inbox_from.mkdir(exist_ok=True)
            words = ["--bind", str(self.inbox_from)]
        else:
            words = ["-t", "tmpfs", "-o", "size=16m", "torture"]
        subprocess.run(["mount", *words, str(self.home / "inbox")], check=True)

    def close(self) -> None:
        """Gives back what its files alone do not."""
        if self.workload.is_foreign:
            subprocess.run(["umount", "-l", str(self.home / "inbox")], capture_output=True, check=False)


def end(program: subprocess.Popen[bytes]) -> None:
    """Ends a program that hangs, and whatever it traces."""
    # not by `children`, which may miss one: what is traced lives on without its tracer
    pids = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int(pathlib.Path(entry, "stat").read_text().rsplit(")", 1)[1].split()[1]) == program.pid:
                pids.append(int(entry.name))
    for pid in [*pids, program.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def fnv(content: bytes) -> int:
    """FNV-1a, 64 bits, as effect.c makes it; long contents repeat, and are not looked at byte by byte here."""
    if len(content) > 1 << 16:
        return 0
    digest = 0xCBF29CE484222325
    for byte in content:
        digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return digest
