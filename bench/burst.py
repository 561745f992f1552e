"""A burst of drops through a one-stage pipeline, beside the bare spawns of the same programs in the same run.

Every drop is claimed durably, recorded with FULL commits, run, and filed; the floor does nothing but fork and exec
/bin/true as often, one after another. The ratio is what the promises cost on this machine.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time

COUNT = int(os.environ.get("PENSTOCK_DROPS", "2000"))


def floor() -> float:
    start = time.monotonic()
    for _ in range(COUNT):
        os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    return time.monotonic() - start


def burst(penstock: pathlib.Path) -> tuple[float, int]:
    with tempfile.TemporaryDirectory(prefix="penstock-burst-") as folder:
        home = pathlib.Path(folder)
        for name in ("inbox", "pipelines", "etc", "drops"):
            (home / name).mkdir()
        (home / "etc/penstock.yaml").write_text("concurrency: 4\n")
        (home / "pipelines/noop.yaml").write_text(
            'pipeline: { name: noop }\ntrigger: { inbox: "*" }\nstages:\n  - { name: noop, run: ["/bin/true"] }\n'
        )
        for number in range(COUNT):
            (home / "drops" / f"drop-{number}").write_text(str(number))
        agent = subprocess.Popen([penstock, "up", "-C", home], stdout=subprocess.DEVNULL)
        try:
            while not (home / "var/penstock.sock").exists():
                time.sleep(0.01)
            start = time.monotonic()
            for drop in (home / "drops").iterdir():
                drop.rename(home / "inbox" / drop.name)
            while done(home) < COUNT:
                time.sleep(0.05)
            seconds = time.monotonic() - start
        finally:
            agent.terminate()
            agent.wait(timeout=60)
        return seconds, len(list((home / "var/done").iterdir()))


def done(home: pathlib.Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{home}/var/state.db?mode=ro", uri=True)) as database:
        row = database.execute("SELECT count FROM run_count WHERE state = 'done'").fetchone()
        return int(row[0]) if row else 0


def main() -> None:
    penstock = pathlib.Path(sys.argv[1]).resolve()
    bare = floor()
    seconds, filed = burst(penstock)
    print(f"burst of {COUNT:,} drops     {'seconds':>9}{'per s':>9}{'x floor':>9}{'filed':>8}")
    print(f"{'bare spawns (floor)':<24}{bare:>9.2f}{COUNT / bare:>9.0f}{1:>9.2f}{'-':>8}")
    print(f"{'penstock, durable':<24}{seconds:>9.2f}{COUNT / seconds:>9.0f}{seconds / bare:>9.2f}{filed:>8}")


main()
