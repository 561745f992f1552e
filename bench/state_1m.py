"""What the reading commands cost when the history is long: a state of a million runs, made through the true schema.

The database is the program's own, from a workspace of ten pipelines it has loaded; the rows are written by SQL, with
its triggers counting. Every command is a process of its own, 20 times, its median printed. The files are in memory
after the first time: `sync; echo 3 > /proc/sys/vm/drop_caches` before it shows the cold figure.

    bench/state_1m.py .build/release/penstock [--runs 1000000] [--keep DIRECTORY]
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sqlite3
import statistics
import subprocess
import tempfile
import time

PIPELINES = 10
TIMES = 20

PIPELINE = """\
pipeline: {{ name: p{n} }}
trigger: {{ inbox: "p{n}-{{pair}}.csv" }}
stages:
  - {{ name: ingest, run: ["/bin/true"] }}
  - {{ name: train, run: ["/bin/true"] }}
  - {{ name: report, run: ["/bin/true"] }}
"""

# of a thousand runs 30 fail, 5 are cancelled, 5 quarantined and acknowledged; a run every 30 s
RUNS = """
WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last),
  moment (i, at) AS (SELECT i, :start + i * 30000 FROM n)
INSERT INTO run (id, pipeline, version, state, "trigger", drop_name, drop_bytes, drop_sha256, captures, options, created,
  started, ended, reason, failed_stage, filed, acknowledged)
SELECT printf('%08x-%04x-7%03x-8%03x-%012x', at >> 16, at & 65535, i & 4095, (i >> 12) & 4095,
    (i * 2654435761) & 281474976710655),
  'p' || (i % :pipelines), (SELECT digest FROM pipeline_version WHERE name = 'p' || (i % :pipelines) LIMIT 1),
  CASE WHEN i % 1000 < 30 THEN 'failed' WHEN i % 1000 < 35 THEN 'cancelled' WHEN i % 1000 < 40 THEN 'quarantined'
    ELSE 'done' END,
  'drop', CAST(printf('p%d-pair%d.csv', i % :pipelines, i % 7) AS BLOB), 4096 + i % 9999, printf('%064x', i),
  printf('{"pair":"pair%d"}', i % 7), '{"granularity":{},"set":{},"useCache":true}', at, at + 20, at + 9000,
  CASE WHEN i % 1000 < 40 THEN 'stage `train` failed: it said that the numbers are not numbers' END,
  CASE WHEN i % 1000 < 30 THEN 'train' END, 1, 1
FROM moment
"""
ATTEMPTS = """
INSERT INTO attempt (run, stage, n, state, granularity, granularity_authority, granularity_reason, seed, started, ended,
  "exit", wall_s, cpu_s, rss_bytes, reason, metrics, data, boot)
SELECT number, column1, 1, iif(state = 'failed' AND column2 > 0, 'failed', 'ok'),
  'coarse', 'standard', 'nothing says otherwise', 42, created + 3000 * column2, created + 3000 * column2 + 2900,
  iif(state = 'failed' AND column2 > 0, 1, 0), 2.9, 2.1 + (number % 97) / 100.0, 50000000 + number % 9999,
  iif(state = 'failed' AND column2 > 0, 'it said that the numbers are not numbers', NULL),
  '{"accuracy":0.5625}', '{"bytes":4096,"rows":1000}', 'b0a7'
FROM run CROSS JOIN (VALUES ('ingest', 0), ('train', 1), ('report', 2))
WHERE number BETWEEN :first AND :last AND (state <> 'failed' OR column1 <> 'report')
"""
SECOND_TRIES = """
INSERT INTO attempt (run, stage, n, state, granularity, granularity_authority, granularity_reason, seed, started, ended,
  "exit", wall_s, cpu_s, rss_bytes, reason, metrics, data, boot)
SELECT number, 'train', 2, 'failed', 'coarse', 'standard', 'nothing says otherwise', 42, created + 6000, created + 8900,
  1, 2.9, 2.1, 50000000, 'it said that the numbers are not numbers', '{}', '{}', 'b0a7'
FROM run WHERE number BETWEEN :first AND :last AND state = 'failed'
"""
ARTIFACTS = """
INSERT INTO artifact (run, stage, name, path, bytes, sha256)
SELECT number, 'report', 'report', 'report/report.html', 4096, drop_sha256 FROM run
WHERE number BETWEEN :first AND :last AND state = 'done'
"""
HOOKS = """
INSERT INTO hook_call (run, stage, attempt, event, program, sha256, at, wall_s, cpu_s, "exit", timed_out, decision,
  stderr_tail)
SELECT number, 'train', 1, 'before-train', 'hooks/before-train.d/10-cap', drop_sha256, created, 0.02, 0.01, 0, 0,
  'allow', '' FROM run WHERE number BETWEEN :first AND :last AND number % 5 = 0
"""
# the newest are open, as a working agent has them
OPEN = """
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
INSERT INTO run (id, pipeline, version, state, "trigger", drop_name, drop_bytes, captures, options, created, resumes)
SELECT printf('%08x-%04x-7%03x-8%03x-%012x', :at >> 16, :at & 65535, i, 1, i), 'p1',
  (SELECT digest FROM pipeline_version WHERE name = 'p1' LIMIT 1), iif(i <= 20, 'queued', 'waiting'), 'drop',
  CAST(printf('p1-open%d.csv', i) AS BLOB), 4096, '{"pair":"open"}', '{"granularity":{},"set":{},"useCache":true}', :at,
  iif(i <= 20, NULL, :at + 60000) FROM n
"""
COMMANDS = (
    ("status", "--json"),
    ("runs", "--json"),
    ("runs", "--json", "--state", "failed"),
    ("runs", "--json", "--pipeline", "p3"),
    ("runs", "--json", "--pipeline", "p3", "--state", "done"),
    ("runs", "--json", "--limit", "1000"),
    ("show", "--json", "4711"),
    ("show", "--json", "last"),
    ("inbox", "--json"),
)


def workspace(penstock: pathlib.Path, home: pathlib.Path) -> pathlib.Path:
    """Makes a workspace whose pipelines the program has loaded; returns its database."""
    for name in ("inbox", "pipelines", "stages", "etc"):
        (home / name).mkdir(parents=True)
    (home / "etc/penstock.yaml").write_text("reserve: 1MiB\n")
    for number in range(PIPELINES):
        (home / f"pipelines/p{number}.yaml").write_text(PIPELINE.format(n=number))
    subprocess.run([penstock, "up", "--once", "-C", home], check=True, stdout=subprocess.DEVNULL)
    return home / "var/state.db"


def fill(path: pathlib.Path, runs: int) -> None:
    start = int(time.time() * 1000) - runs * 30_000
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -400000")
        for first in range(1, runs + 1, 50_000):
            last = min(first + 49_999, runs)
            database.execute("BEGIN IMMEDIATE")
            common = {"first": first, "last": last}
            database.execute(RUNS, common | {"start": start, "pipelines": PIPELINES})
            for statement in (ATTEMPTS, SECOND_TRIES, ARTIFACTS, HOOKS):
                database.execute(statement, common)
            database.execute("COMMIT")
        database.execute(OPEN, {"at": start + runs * 30_000})
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def count(path: pathlib.Path) -> tuple[int, int]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        runs = database.execute("SELECT sum(count) FROM run_count").fetchone()[0]
        return int(runs), int(database.execute("SELECT count(*) FROM attempt").fetchone()[0])


def median(penstock: pathlib.Path, home: pathlib.Path, command: tuple[str, ...]) -> tuple[float, float, int]:
    """Median and longest time of a command in milliseconds, and how much it said."""
    times, said = [], 0
    for _ in range(TIMES):
        start = time.perf_counter()
        done = subprocess.run([penstock, command[0], "-C", home, *command[1:]], check=False, capture_output=True)
        times.append((time.perf_counter() - start) * 1000)
        if not done.stdout.startswith(b"{"):
            raise SystemExit(f"{command}: {done.stderr.decode()}")
        said = len(done.stdout)
    return statistics.median(times), max(times), said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("penstock", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--keep", type=pathlib.Path, help="leave the workspace there, and use it where it is")
    arguments = parser.parse_args()
    penstock = arguments.penstock.resolve()
    with tempfile.TemporaryDirectory(prefix="penstock-state-") as folder:
        home = (arguments.keep or pathlib.Path(folder) / "w").resolve()
        path = home / "var/state.db"
        if not path.exists():
            path = workspace(penstock, home)
            began = time.monotonic()
            fill(path, arguments.runs)
            print(f"made in {time.monotonic() - began:.0f} s")
        runs, attempts = count(path)
        print(f"{runs:,} runs, {attempts:,} attempts, {path.stat().st_size >> 20} MiB; milliseconds, process and all")
        print(f"{'penstock …':<50}{'median':>8}{'longest':>9}{'bytes':>9}")
        for command in COMMANDS:
            middle, longest, said = median(penstock, home, command)
            print(f"{' '.join(command):<50}{middle:>8.1f}{longest:>9.1f}{said:>9}")


main()
