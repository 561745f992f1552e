"""What the ledger of the last run says, against what the programs themselves stamped."""

from __future__ import annotations

import collections
import contextlib
import pathlib
import sqlite3

QUERY = """
SELECT CAST(run.drop_name AS TEXT), count(*), count(DISTINCT run.number), min(run.state), min(run.filed)
FROM run JOIN attempt ON attempt.run = run.number GROUP BY run.drop_name
"""


def unrecorded(run: pathlib.Path) -> dict[str, int]:
    """Starts without an attempt on record, drops with more than one run, runs not done, and drops not in done/."""
    starts: collections.Counter[str] = collections.Counter()
    for line in (run / "stamps.log").read_text().splitlines():
        words = line.split()
        if len(words) == 4 and words[0] == "S":
            starts[words[2]] += 1
    with contextlib.closing(sqlite3.connect(run / "var/state.db")) as database:
        rows = {name: row for name, *row in database.execute(QUERY)}
    filed = collections.Counter(path.name for path in (run / "var/done").glob("*/*"))
    return {
        "unrecorded": sum(max(0, count - rows.get(name, [0])[0]) for name, count in starts.items()),
        "doubled": sum(row[1] - 1 for row in rows.values()) + sum(count - 1 for count in filed.values()),
        "open": sum(row[2] != "done" for row in rows.values()),
        "unfiled": sum(name not in filed for name, row in rows.items() if row[3]),
    }
