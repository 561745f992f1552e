"""What is durable before what, read from the system calls of undisturbed runs: needs strace, and no power loss.

A disk forgives: on ext4 one sync of a directory commits the renames of others too. Other filesystems promise less, so
every directory a rename changed must be synced itself, or by syncfs(2), before the next commit of the database, and
nothing may be asked of a program while a change of the database is not synced.
"""

from __future__ import annotations

import functools
import os
import pathlib
import re
from collections.abc import Iterator

import points
from case import Case
from expectation import Drop, Pipeline, Stage, Workload
from jobs import Job
from judge import judge
from kills import Played
from workloads import BROKEN, CHAIN, CONFIGURED, HAND, LOOSE, drops

CALLS = (
    "mkdirat,mkdir,rename,renameat,renameat2,unlinkat,unlink,fsync,fdatasync,syncfs,write,pwrite64,ftruncate,sendmsg"
)
# one drop each, so that one thing happens after the other; of a batch, which is synced in another way, only its claim
ALONE = (
    Workload("order-chain", (CHAIN,), drops("chain-a")),
    Workload("order-batch", (LOOSE,), drops(*(f"loose-{n}" for n in range(9))), settings="concurrency: 1\n"),
    Workload("order-failed", (BROKEN,), drops("broken-a")),
    Workload("order-link", (LOOSE,), (Drop(b"loose-link", "link"),)),
    Workload("order-hard", (CHAIN,), (Drop(b"chain-hard", "hard"),)),
    Workload("order-kept", (LOOSE,), drops("loose-a"), settings="source: keep\n", keeps=True),
    Workload("order-foreign", (LOOSE,), drops("loose-a"), is_foreign=True),
    Workload("order-hand", (HAND,), (), command=("run", "hand", "--input", "{home}/samples/mine.csv")),
    Workload("order-config", (CONFIGURED,), ()),
    Workload(
        "order-put",
        (LOOSE,),
        (),
        command=("put", "{home}/samples/mine.csv", "--as", "loose-put"),
        puts=Drop(b"loose-put"),
    ),
    Workload(
        "order-retry",
        (Pipeline("broken", (Stage("bad", "fail", (("failed",),)),), "failed"),),
        drops("broken-a"),
        before=(("up", "--once"),),
        command=("retry", "--all"),
    ),
)


def order_jobs(programs: pathlib.Path, *, can_mount: bool) -> Iterator[Job]:
    for workload in ALONE:
        if can_mount or not workload.is_foreign:
            yield Job("order of syncs", workload.name, functools.partial(_play, workload, programs))


def _play(workload: Workload, programs: pathlib.Path, root: pathlib.Path) -> Played:
    case = Case(workload, root, programs)
    case.make()
    # a disk that is slow, so that what must wait for a sync and does not comes before it; the head of a packet says
    # what is asked, and where nothing is shown strace(1) leaves the packet out
    tracing = points.tracing(root / "trace", CALLS, shown=16)
    case.command(before=(*tracing, "-e", "inject=fsync,syncfs:delay_enter=40000"))
    found = Order(case).read(root / "trace")
    case.take_up()
    return True, found + judge(case, converges=True), case


class Order:
    """Follows a trace: what waits for a sync, and what must not happen while it does."""

    LINE = re.compile(r"^(\d+) +(.*)$")
    CALL = re.compile(r"^(\w+)\((.*)\) += (-?\d+)")
    # magic, version, operation; strace(1) writes bytes as octal numbers
    PACKET = re.compile(r"PTNK\\\d+\\0\\(\d+)\\0")
    RUN, GO = 1, 8
    HANDLE = re.compile(r"^(?:\d+|AT_FDCWD)<([^>]*)>$")

    def __init__(self, case: Case) -> None:
        self.inbox = str(case.home / "inbox")
        self.var = str(case.home / "var")
        self.log = str(case.database) + "-wal"
        self.database = str(case.database)
        self.is_foreign = case.workload.is_foreign
        self.is_batch = len(case.workload.drops) > 1
        self.has_begun = False
        # what waits for a sync, by path, and why
        self.directories: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.synced: set[str] = set()
        self.commits = 0
        self.log_waits = self.database_waits = False
        # a claim that no commit has recorded since
        self.claim = ""
        self.found: list[str] = []

    def read(self, trace: pathlib.Path) -> list[str]:
        begun: dict[str, str] = {}
        with trace.open(errors="replace") as lines:
            for text in lines:
                match = self.LINE.match(text.rstrip("\n"))
                if not match:
                    continue
                thread, rest = match.groups()
                if rest.endswith("<unfinished ...>"):
                    begun[thread] = rest.removesuffix("<unfinished ...>").rstrip()
                    # a write counts from its beginning, a sync from its end
                    continue
                if rest.startswith("<... "):
                    rest = begun.pop(thread, "") + rest.split("resumed>", 1)[-1].lstrip()
                call = self.CALL.match(rest)
                if call and int(call[3]) >= 0:
                    self._take(call[1], self._words(call[2]))
        if self.log_waits:
            self._complain("the end", {self.log: "its last write"})
        self._complain("the end", self.directories | self.files)
        if self.database_waits:
            self._complain("the end", {self.database: "its last write"})
        if not self.synced:
            self.found.append("other order: nothing was ever synced")
        return self.found

    @staticmethod
    def _words(text: str) -> list[str]:
        return re.findall(r'"(?:[^"\\]|\\.)*"|(?:\{[^}]*\}|\[[^\]]*\]|[^,"])+', text.replace(", ", ","))

    def _place(self, word: str) -> str:
        handle = self.HANDLE.match(word)
        return handle[1] if handle else ""

    def _take(self, name: str, words: list[str]) -> None:
        if name in {"write", "pwrite64", "ftruncate"}:
            self._write(name, self._place(words[0]))
        elif name in {"fsync", "fdatasync", "syncfs"}:
            self._sync(name, self._place(words[0]))
        elif name in {"renameat", "renameat2", "rename"}:
            one, other = ((0, 1), (2, 3)) if name != "rename" else ((None, 0), (None, 1))
            self._rename(self._path(words, *one), self._path(words, *other))
        elif name in {"mkdirat", "mkdir"}:
            self._make(self._path(words, 0, 1) if name == "mkdirat" else self._path(words, None, 0))
        elif name == "unlinkat" and "AT_REMOVEDIR" not in words[-1]:
            self._remove(self._path(words, 0, 1))
        elif name == "sendmsg":
            self._send(" ".join(words))

    def _send(self, text: str) -> None:
        """A program that is only held ready (`OP_HOLD` of wire.h) is not asked for before `OP_GO`."""
        packet = self.PACKET.search(text)
        if packet and int(packet[1], 8) in {self.RUN, self.GO}:
            self._ask()

    def _ask(self) -> None:
        if self.log_waits and not self.has_begun:
            self.found.append("unrecorded order: a program is asked for while a change of the database is not synced")
        if self.claim and not self.has_begun:
            self.found.append(f"unrecorded order: a program is asked for before any commit since {self.claim}")
        # from here on runs of a batch overlap, and a commit is not the one that follows from a rename
        self.has_begun = self.is_batch

    def _path(self, words: list[str], folder: int | None, name: int) -> str:
        text = words[name].strip('"')
        return text if folder is None or text.startswith("/") else f"{self._place(words[folder])}/{text}"

    def _write(self, name: str, path: str) -> None:
        if path == self.log:
            # it is cut when its end has come into the database
            self.log_waits = name != "ftruncate"
        elif path == self.database:
            if self.log_waits:
                self.found.append("lost order: the log is moved into the database before it is synced")
            self.database_waits = True
        elif path.startswith(f"{self.var}/work/") or (path.startswith(self.inbox) and "/.put-" in path):
            self.files[path] = "it was written"

    def _sync(self, name: str, path: str) -> None:
        self.synced.add(path)
        if name == "syncfs":
            kept = {p: why for p, why in self.directories.items() if self.is_foreign and p.startswith(self.inbox)}
            self.directories, self.files = kept, {}
        elif path == self.log:
            if self.log_waits:
                self.commits += 1
                self.claim = ""
                if not self.has_begun:
                    self._complain(f"commit {self.commits}", self.directories | self.files)
            self.log_waits = False
        elif path == self.database:
            self.database_waits = False
        else:
            self.directories.pop(path, None)
            self.files.pop(path, None)

    def _rename(self, old: str, new: str) -> None:
        before, after = os.path.dirname(old), os.path.dirname(new)
        if not (before.startswith((self.var, self.inbox)) and after.startswith((self.var, self.inbox))):
            return
        if before.startswith(f"{self.var}/logs") or before == f"{self.var}/backups":
            return
        # empty, for an attempt: nothing in it has to last
        if f"{self.var}/runs/.spare" in (before, after):
            return
        why = f"{self._short(old)} was renamed to {self._short(new)}"
        if before == self.inbox and after.startswith(f"{self.var}/work/"):
            self.claim = why
        if old in self.files and old not in self.synced:
            self.found.append(f"lost order: {why} before its bytes were synced")
        if before == after and before.startswith(f"{self.var}/runs/"):
            self._publish(old, why)
        moved = {p.replace(old, new, 1): w for p, w in self.files.items() if p.startswith(old)}
        self.files = {p: w for p, w in self.files.items() if not p.startswith(old)} | moved
        self.directories = {
            p.replace(old, new, 1) if p.startswith(old + "/") else p: w for p, w in self.directories.items()
        }
        for folder in {before, after}:
            # what waits to be removed is put aside first, and what is left of a copy is void
            if "/.penstock-" not in folder and (folder == after or "/.copy-" not in folder):
                self.directories[folder] = why
        # what its producer wrote is anyone's guess; a link has no bytes
        if before == self.inbox and after.startswith(f"{self.var}/work/") and not new.endswith("link"):
            self.files[new] = "its producer wrote it"

    def _publish(self, old: str, why: str) -> None:
        if old not in self.synced:
            self.found.append(f"lost order: {why} before {self._short(old)} was synced")
        if not any(path.startswith(old + "/") for path in self.synced):
            self.found.append(f"lost order: {why} before any file in it was synced")

    def _make(self, path: str) -> None:
        if os.path.dirname(path) == f"{self.var}/work":
            self.directories[f"{self.var}/work"] = f"{self._short(path)} was made"

    def _remove(self, path: str) -> None:
        if path.startswith(self.inbox) and "/.put-" not in path and not self.commits:
            self.found.append(f"lost order: {self._short(path)} was removed before anything was recorded")
        self.files.pop(path, None)

    def _short(self, path: str) -> str:
        return path.removeprefix(os.path.dirname(self.var) + "/")

    def _complain(self, when: str, what: dict[str, str]) -> None:
        for path, why in what.items():
            self.found.append(f"lost order: at {when} {self._short(path)} is not synced, and {why}")
        self.directories, self.files = {}, {}
