"""Hostile writers: that no drop is read before its last close, whatever its writer does.

PENSTOCK_DROPS files (default 10,000) by writers that are slow, close and open again, write through a mapping after the
descriptor is closed, rename over what waits, write through another hard link, or leave the descriptor to a child. Each
writer notes what it wrote last and when it began to close; the stage notes when it began to read and what it read. A
read is early where it began before that close, or found anything but a whole content; and what the agent itself read
to record the digest, at the moment of the claim, must be whole as well. Needs no root; the lease that
tells of writers needs the files to belong to the agent's user, as here. That it sees what it looks for is shown by
PENSTOCK_SETTLE=0.1, which is less than the pauses of those that open again: then some of their files are read early.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import hashlib
import json
import mmap
import multiprocessing
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import typing
from collections.abc import Callable

DROPS = int(os.environ.get("PENSTOCK_DROPS", "10000"))
SEED = int(os.environ.get("PENSTOCK_SEED", str(time.time_ns() % 1_000_000)))
PROCESSES, THREADS = 4, 48
# what a writer leaves between a close and the next open must stay under the settling, or nobody could tell
SETTLE, LONGEST_GAP = float(os.environ.get("PENSTOCK_SETTLE", "2")), 1.4
PIPELINE = """\
pipeline: { name: hostile }
trigger: { inbox: "*.txt" }
stages:
  - { name: read, run: ["./stages/read.sh", "${input}"] }
"""
READ = """\
#!/bin/sh
now=$(date +%s.%N)
set -- "$1" $(sha256sum < "$1")
printf '%s %s %s %s\\n' "$PENSTOCK_RUN" "${1##*/}" "$now" "$2" >> "$PENSTOCK_HOME/reads.log"
"""


@dataclasses.dataclass
class Whole:
    """One content that may be read, and not before a moment."""

    sha256: str
    closed: float


class Writer:
    """One file, written in one way."""

    def __init__(self, home: pathlib.Path, name: str, chance: random.Random) -> None:
        self.home, self.name, self.chance = home, name, chance
        self.path = home / "inbox" / name
        self.content = b""
        self.wholes: list[Whole] = []
        self.overslept = False

    def part(self) -> bytes:
        part = f"{self.name} {self.chance.random()}\n".encode() * self.chance.randint(1, 40)
        self.content += part
        return part

    def nap(self, longest: float) -> None:
        time.sleep(self.chance.random() ** 2 * longest)

    def whole(self, closed: float) -> None:
        self.wholes.append(Whole(hashlib.sha256(self.content).hexdigest(), closed))

    def close(self, file: int) -> None:
        closed = time.time()
        os.close(file)
        self.whole(closed)

    def slow(self) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        for _ in range(self.chance.randint(1, 5)):
            os.write(file, self.part())
            self.nap(2)
        self.close(file)

    def reopening(self) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        # half of them by a descriptor for reading, which finds the file wherever it was moved to
        reader = os.open(self.path, os.O_RDONLY) if self.chance.random() < 0.5 else -1
        for _ in range(self.chance.randint(1, 4)):
            os.write(file, self.part())
            closed = time.monotonic()
            self.close(file)
            self.nap(LONGEST_GAP)
            if time.monotonic() - closed > LONGEST_GAP + 0.2:
                break
            try:
                file = os.open(self.path if reader < 0 else f"/proc/self/fd/{reader}", os.O_WRONLY | os.O_APPEND)
            except FileNotFoundError:
                break
            self.overslept |= time.monotonic() - closed > max(SETTLE, LONGEST_GAP + 0.5) - 0.1
            self.wholes.clear()
            self.nap(0.5)
        else:
            os.write(file, self.part())
            self.close(file)
        if reader >= 0:
            os.close(reader)

    def mapping(self) -> None:
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        size = 4096 * self.chance.randint(1, 8)
        os.ftruncate(file, size)
        memory = mmap.mmap(file, size)
        os.close(file)
        for _ in range(self.chance.randint(1, 4)):
            self.nap(2)
            memory[self.chance.randrange(size)] = self.chance.randrange(256)
        self.content = bytes(memory)
        closed = time.time()
        memory.close()
        self.whole(closed)

    def renaming(self) -> None:
        for _ in range(self.chance.randint(2, 4)):
            self.content = b""
            hidden = self.path.with_name(f".{self.name}.part")
            file = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            os.write(file, self.part())
            self.close(file)
            hidden.rename(self.path)
            self.nap(0.3)

    def linking(self) -> None:
        other = self.home / "links" / self.name
        file = os.open(other, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(file, self.part())
        os.link(other, self.path)
        for _ in range(self.chance.randint(1, 3)):
            self.nap(1.5)
            os.write(file, self.part())
        self.close(file)
        other.unlink()

    def inheriting(self) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(file, self.part())
        tail = self.part()
        wait = 0.2 + self.chance.random() * 2.5
        closed = time.time() + wait
        child = subprocess.Popen(["/bin/sh", "-c", f"sleep {wait}; cat"], stdin=subprocess.PIPE, stdout=file)
        os.close(file)
        child.communicate(tail)
        self.whole(closed)


WAYS: dict[str, Callable[[Writer], None]] = {
    "slow": Writer.slow,
    "reopening": Writer.reopening,
    "mapping": Writer.mapping,
    "renaming": Writer.renaming,
    "linking": Writer.linking,
    "inheriting": Writer.inheriting,
}


def write_some(home: pathlib.Path, first: int) -> None:
    """The share of one process, in many threads; what was written is left as `written-N.json`."""
    numbers = collections.deque(range(first, DROPS, PROCESSES))
    noted: dict[str, dict[str, typing.Any]] = {}

    def work() -> None:
        while True:
            try:
                number = numbers.popleft()
            except IndexError:
                return
            way = list(WAYS)[number % len(WAYS)]
            writer = Writer(home, f"{way}-{number}.txt", random.Random(SEED * 1_000_003 + number))
            WAYS[way](writer)
            noted[writer.name] = {"wholes": [dataclasses.astuple(whole) for whole in writer.wholes], "overslept": writer.overslept}

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (home / f"written-{first}.json").write_text(json.dumps(noted))


def prepare(home: pathlib.Path) -> None:
    for name in ("inbox", "pipelines", "stages", "etc", "links"):
        (home / name).mkdir()
    # held hard links are looked at again with each scan
    (home / "etc/penstock.yaml").write_text(f"settle: {SETTLE * 1000:.0f}ms\nrescan: 2s\nconcurrency: 4\n")
    (home / "pipelines/hostile.yaml").write_text(PIPELINE)
    (home / "stages/read.sh").write_text(READ)
    (home / "stages/read.sh").chmod(0o755)


def judge(home: pathlib.Path) -> int:
    written: dict[str, dict[str, typing.Any]] = {}
    for path in home.glob("written-*.json"):
        written |= json.loads(path.read_text())
    reads: dict[str, list[tuple[float, str]]] = collections.defaultdict(list)
    for line in (home / "reads.log").read_text().splitlines():
        _, name, began, read = line.split()
        reads[name].append((float(began), read))
    with contextlib.closing(sqlite3.connect(home / "var/state.db")) as database:
        claimed = collections.defaultdict(list)
        for name, digest in database.execute("SELECT CAST(drop_name AS TEXT), drop_sha256 FROM run"):
            claimed[name].append(digest)
    columns = ("files", "reads", "early", "not whole", "claimed so", "lost", "doubled", "overslept")
    table: dict[str, collections.Counter[str]] = {way: collections.Counter() for way in WAYS}
    for name, note in written.items():
        row, found = table[name.split("-")[0]], reads.pop(name, [])
        wholes = [Whole(*entry) for entry in note["wholes"]]
        row["files"] += 1
        row["reads"] += len(found)
        if note["overslept"]:
            row["overslept"] += 1
            continue
        for moment, digest in found:
            matching = [whole for whole in wholes if whole.sha256 == digest]
            row["not whole"] += not matching
            row["early"] += bool(matching) and moment < min(whole.closed for whole in matching)
            row["early"] += not matching and any(moment < whole.closed for whole in wholes)
        row["claimed so"] += sum(digest not in {whole.sha256 for whole in wholes} for digest in claimed[name])
        digests = [digest for _, digest in found]
        row["lost"] += wholes[-1].sha256 not in digests
        row["doubled"] += len(digests) - len(set(digests))
    strangers = sum(len(found) for found in reads.values())
    print(f"{'writers':<14}" + "".join(f"{column:>11}" for column in columns))
    for way, row in table.items():
        print(f"{way:<14}" + "".join(f"{row[column]:>11,}" for column in columns))
    total: collections.Counter[str] = sum(table.values(), collections.Counter())
    print(f"{'all':<14}" + "".join(f"{total[column]:>11,}" for column in columns))
    left = len(list((home / "inbox").iterdir())) + len(list((home / "var/work").iterdir()))
    print(f"left in inbox and work: {left}, reads of nothing that was written: {strangers}")
    return 1 if left or strangers or any(total[column] for column in ("early", "not whole", "claimed so", "lost", "doubled")) else 0


def main() -> int:
    penstock = pathlib.Path(sys.argv[1]).resolve()
    print(f"hostile: {DROPS:,} files, PENSTOCK_SEED={SEED}", flush=True)
    with tempfile.TemporaryDirectory(prefix="penstock-hostile-") as folder:
        home = pathlib.Path(folder)
        prepare(home)
        agent = subprocess.Popen([penstock, "up", "-C", home], stdout=subprocess.DEVNULL)
        try:
            while not (home / "var/penstock.sock").exists():
                time.sleep(0.01)
            start = time.monotonic()
            writers = [multiprocessing.Process(target=write_some, args=(home, first)) for first in range(PROCESSES)]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join()
            print(f"hostile: written in {time.monotonic() - start:.0f} s", flush=True)
            while list((home / "inbox").iterdir()) and time.monotonic() - start < 1800:
                time.sleep(0.5)
        finally:
            agent.terminate()
            agent.wait(timeout=120)
        subprocess.run([penstock, "up", "--once", "-C", home], stdout=subprocess.DEVNULL, timeout=1800, check=False)
        return judge(home)


sys.exit(main())
