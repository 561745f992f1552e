"""Where something can happen to the agent: named failpoints, and system calls counted per name and thread."""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import re
import shutil

from case import Case

STRACE = shutil.which("strace")
# what changes the state of a disk, of another process or of the agent's own children
CHANGING = (
    "mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,openat,write,writev,pwrite64,"
    "pwritev2,fsync,fdatasync,syncfs,ftruncate,fallocate,fchmod,chmod,copy_file_range,sendfile,sendmsg,clone,clone3,vfork"
)
SPAWNING = "clone,clone3,fork,vfork,pipe2,openat,write,rename,unlink,sendto,kill,wait4,dup2,dup3,chdir,prctl,close_range,recvmsg"


@dataclasses.dataclass(frozen=True)
class Point:
    """The `k`th time that some thread calls `name`, or that a failpoint is hit."""

    name: str
    k: int

    def __str__(self) -> str:
        return f"{self.name}:{self.k}"


def declared(source: pathlib.Path) -> list[str]:
    """The failpoints that Sources/Core/Failpoint.swift declares."""
    return re.findall(r"^  case (\w+)$", source.read_text(), re.MULTILINE)


def hits(log: pathlib.Path) -> list[Point]:
    """Every hit of a run, from its PENSTOCK_FAILPOINT_LOG."""
    if not log.exists():
        return []
    counted = collections.Counter(log.read_text().split())
    return [Point(name, k) for name in sorted(counted) for k in range(1, counted[name] + 1)]


def tracing(trace: pathlib.Path, calls: str, *, shown: int = 0) -> tuple[str, ...]:
    """The words of a tracer that writes down calls, `shown` bytes of what each says."""
    return (
        str(STRACE),
        "-f",
        "-b",
        "execve",
        "-qq",
        "-y",
        "-s",
        str(shown),
        "-o",
        str(trace),
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
    )


def striking(point: Point, action: str) -> tuple[str, ...]:
    """The words that make strace do `action` at the point and nowhere else."""
    words = ("-e", f"trace={point.name}", "-e", f"inject={point.name}:{action}:when={point.k}")
    return (str(STRACE), "-f", "-b", "execve", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "signal=none", *words)


def called(trace: pathlib.Path, case: Case) -> list[Point]:
    """The points of a recorded trace: per thread and name, those calls that change something that lasts."""
    line = re.compile(r"^(\d+) +(\w+)\((.*)")
    counted: collections.Counter[tuple[str, str]] = collections.Counter()
    found: set[Point] = set()
    place = str(case.root)
    with trace.open(errors="replace") as lines:
        for text in lines:
            match = line.match(text)
            if not match:
                continue
            thread, name, rest = match.groups()
            counted[thread, name] += 1
            if (name == "openat" and "O_CREAT" not in rest) or (name in {"write", "writev"} and place not in rest):
                continue
            found.add(Point(name, counted[thread, name]))
    return sorted(found, key=lambda point: (point.name, point.k))
