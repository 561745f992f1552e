"""Power loss (S02, S03): ext4 on a loop device, cut off by the GOINGDOWN ioctl, so that what was not synced is gone.

The state's database lies on the spool's filesystem or on one of its own, and each is cut alone or both: on one ext4
the database's fsync commits the spool's renames too and would hide a sync that is missing.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import fcntl
import functools
import hashlib
import os
import pathlib
import random
import shutil
import sqlite3
import struct
import subprocess
import time
from collections.abc import Iterator

import evidence
import points
from case import Accepted, Case, fnv
from expectation import Workload
from jobs import Job, Yard, unmount_below
from judge import judge
from kills import KILLED, Played
from points import Point

# _IOR('X', 125, u32) of linux/fs.h, and NOLOGFLUSH: nothing more reaches the disk, not even the journal
GOINGDOWN, NOLOGFLUSH = 0x8004587D, 2
SIZE = 96 << 20
WHICH = ("one", "split both", "split spool", "split state")


def can_mount() -> str | None:
    """Why power loss cannot be tried here; `None` where it can."""
    if os.geteuid() != 0:
        return "it needs root to mount"
    for program in ("losetup", "mount", "umount", "mkfs.ext4"):
        if not shutil.which(program) and not pathlib.Path("/sbin", program).exists():
            return f"there is no `{program}`"
    return None


class Disk:
    """An ext4 in a file that can lose its power."""

    def __init__(self, image: pathlib.Path, place: pathlib.Path) -> None:
        self.image, self.place = image, place
        self.descriptor = -1
        with image.open("wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        place.mkdir(parents=True)
        self.mount()

    def mount(self) -> None:
        run("mount", "-o", "loop", str(self.image), str(self.place))

    def empty(self) -> None:
        unmount_below(self.place)
        for path in self.place.iterdir():
            if path.name == "lost+found":
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def sync(self) -> None:
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            ctypes.CDLL(None).syncfs(descriptor)
        finally:
            os.close(descriptor)

    def cut(self) -> None:
        """From here on nothing reaches the disk."""
        descriptor = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, GOINGDOWN, struct.pack("I", NOLOGFLUSH))
        finally:
            os.close(descriptor)

    def revive(self) -> None:
        """Unmounts what the cut left and mounts it anew: the journal is replayed as after a real loss."""
        for _ in range(100):
            if subprocess.run(["umount", str(self.place)], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.02)
        else:
            raise RuntimeError(f"{self.place} cannot be unmounted")
        self.mount()

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.place)], capture_output=True, check=False)


def run(*words: str) -> None:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env=os.environ | {"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}
    )
    if done.returncode:
        raise RuntimeError(f"`{' '.join(words)}`: {done.stderr.strip()}")


class Power:
    """Jobs that cut the power; each worker has two disks of its own."""

    def __init__(self, yard: Yard, programs: pathlib.Path, workloads: tuple[Workload, ...]) -> None:
        self.yard, self.programs, self.workloads = yard, programs, workloads
        self.free: list[tuple[Disk, Disk]] = []

    def open(self) -> None:
        for number in range(self.yard.workers):
            folder = self.yard.root / f"disks-{number}"
            folder.mkdir()
            self.free.append(
                (Disk(folder / "spool.img", folder / "spool"), Disk(folder / "state.img", folder / "state"))
            )

    def close(self) -> None:
        for disks in self.free:
            for disk in disks:
                unmount_below(disk.place)
                disk.close()

    def jobs(self, count: int, hits: dict[str, list[Point]], calls: dict[str, list[Point]]) -> Iterator[Job]:
        chance = self.yard.chance("power")
        syncing = ("fsync", "fdatasync", "syncfs", "renameat2", "renameat", "mkdirat", "pwrite64")
        for number in range(count):
            workload = self.workloads[number % len(self.workloads)]
            which = WHICH[number // len(self.workloads) % len(WHICH)]
            traced = [point for point in calls.get(workload.name, []) if point.name in syncing]
            if chance.random() < 0.12:
                name = f"{workload.name} {which} after its end #{number}"
                yield Job(
                    "power loss", name, functools.partial(self._play, workload, which, None, False, chance.random())
                )
                continue
            use_call = bool(traced) and (chance.random() < 0.4 or not hits[workload.name])
            if use_call:
                name = chance.choice(sorted({point.name for point in traced}))
                point = chance.choice([point for point in traced if point.name == name])
            else:
                name = chance.choice(sorted({point.name for point in hits[workload.name]}))
                point = chance.choice([point for point in hits[workload.name] if point.name == name])
            name = f"{workload.name} {which} {'call' if use_call else 'failpoint'} {point} #{number}"
            yield Job(
                "power loss", name, functools.partial(self._play, workload, which, point, use_call, chance.random())
            )

    def _play(
        self, workload: Workload, which: str, point: Point | None, use_call: bool, luck: float, root: pathlib.Path
    ) -> Played:
        disks = self.free.pop()
        try:
            return self._lose(workload, which, point, use_call, random.Random(luck), root, disks)  # noqa: S311
        finally:
            self.free.append(disks)

    def _lose(
        self,
        workload: Workload,
        which: str,
        point: Point | None,
        use_call: bool,
        chance: random.Random,
        root: pathlib.Path,
        disks: tuple[Disk, Disk],
    ) -> Played:
        spool, state = disks
        for disk in disks:
            disk.empty()
        case = Case(workload, root, self.programs, spool.place / "home")
        if workload.is_foreign:
            # the other disk holds the inbox, and the database stays with the spool
            case.inbox_from = state.place / "inbox"
        elif which != "one":
            case.use_database(state.place / "state.db")
        case.make()
        for disk in disks:
            disk.sync()
        # one that stays in the inbox, or comes back to it, is another drop when the loss has emptied it
        inbox_is_cut = workload.is_foreign and which in {"split both", "split state"}
        if chance.random() < 0.5 and not workload.keeps and not inbox_is_cut:
            put_unsynced(case)
        if point is None:
            case.was_crashed = True
            code = case.command()
        elif use_call:
            code = case.strike(before=points.striking(point, "signal=KILL"))
        else:
            code = case.strike(PENSTOCK_FAILPOINT=f"{point}:kill")
        cut = {"one": [spool], "split both": [spool, state], "split spool": [spool], "split state": [state]}[which]
        for disk in cut:
            write_back_some(disk.place, chance)
            disk.cut()
        wait_for_end(case)
        case.close()
        for disk in cut:
            disk.revive()
        case.mount()
        look_again(case)
        case.take_up()
        return point is None or code in KILLED, judge(case, converges=chance.random() < 0.3), case


def put_unsynced(case: Case) -> None:
    """Drops of a careless producer, who renames and never syncs: theirs is what becomes of them until they are recorded."""
    for drop in case.workload.drops:
        if (
            drop.kind in {"file", "hard"}
            and not drop.content
            and case.workload.name not in {"sealed", "retried", "cleared"}
        ):
            before = len(case.accepted)
            case.put(dataclasses.replace(drop, name=drop.name + b"-soft", kind="file"), sync=False)
            case.unsynced += case.accepted[before:]


def look_again(case: Case) -> None:
    """What was not synced by its producer, nor recorded, is from now on what the power loss left of it; or nothing."""
    if not case.unsynced:
        return
    recorded = recorded_drops(case)
    for accepted in case.unsynced:
        name = accepted.drop.name
        if name in recorded:
            continue
        places = [case.home / "inbox", *(p for p in (case.home / "var/work").glob("[!.]*") if p.is_dir())]
        paths = [path for place in places if os.path.lexists(path := os.path.join(bytes(place), name))]
        case.accepted.remove(accepted)
        if paths:
            content = pathlib.Path(os.fsdecode(paths[0])).read_bytes()
            case.accepted.append(Accepted(accepted.drop, hashlib.sha256(content).hexdigest(), fnv(content)))


def recorded_drops(case: Case) -> set[bytes]:
    """The names of drops that have a run, read from a copy, for to look into a log is to change it."""
    folder = case.root / "glance"
    folder.mkdir()
    for suffix in ("", "-wal"):
        path = pathlib.Path(f"{case.database}{suffix}")
        if path.exists():
            shutil.copy(path, folder / f"state.db{suffix}")
    try:
        with contextlib.closing(sqlite3.connect(folder / "state.db")) as database:
            return {row[0] for row in database.execute("SELECT drop_name FROM run WHERE drop_name IS NOT NULL")}
    except sqlite3.Error:
        return set()
    finally:
        shutil.rmtree(folder)


def wait_for_end(case: Case) -> None:
    """A cut disk can be unmounted when the last keeper of the dead agent is gone."""
    for _ in range(200):
        if not evidence.leftovers(case.home):
            return
        time.sleep(0.01)


def write_back_some(place: pathlib.Path, chance: random.Random) -> None:
    """The kernel may have written any part of what is dirty: nothing, the data of some files, or some files whole."""
    luck = chance.random()
    if luck < 0.5:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    for folder, _, files in os.walk(bytes(place)):
        for name in files:
            if chance.random() > 0.3:
                continue
            with contextlib.suppress(OSError):
                descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                if luck < 0.75:
                    # SYNC_FILE_RANGE_WRITE: its data, and nothing of the journal
                    libc.sync_file_range(descriptor, ctypes.c_int64(0), ctypes.c_int64(0), 2)
                else:
                    os.fsync(descriptor)
                os.close(descriptor)
