"""How long it takes until all of many schedules that are due at the same minute have their runs (T08 of the faults).

    python bench/schedule/midnight.py [PENSTOCK] [--schedules 10000]

Each schedule is a pipeline of its own with `cron`; the agent has one place, so that nothing but the scheduler works.
"""

import argparse
import signal
import sqlite3
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

PIPELINE = """pipeline: {{ name: p{n} }}
trigger: {{ schedule: {{ cron: "{minute} {hour} * * *", tz: UTC }} }}
stages: [ {{ name: a, run: [/bin/true] }} ]
"""


def main() -> None:
    """Makes the workspace, waits for the minute, and tells the lateness of the first and the last run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("penstock", nargs="?", default=".build/release/penstock")
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--lead", type=int, default=120, help="seconds the agent has to load them")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-midnight-") as place:
        home = Path(place)
        for folder in ["inbox", "pipelines", "etc"]:
            (home / folder).mkdir()
        (home / "etc/penstock.yaml").write_text("concurrency: 1\n")
        due = (datetime.now(UTC) + timedelta(seconds=asked.lead)).replace(second=0, microsecond=0)
        due += timedelta(minutes=1)
        for n in range(asked.schedules):
            text = PIPELINE.format(n=n, minute=due.minute, hour=due.hour)
            (home / f"pipelines/p{n}.yaml").write_text(text)
        agent = subprocess.Popen(
            [Path(asked.penstock).resolve(), "up", "-C", home],
            stdout=subprocess.DEVNULL,
        )
        try:
            late = lateness(home / "var/state.db", due.timestamp() * 1000, asked.schedules)
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(60)
    print(f"{asked.schedules} schedules at one minute: all have their runs {late:.2f} s after it")


def lateness(state: Path, due: float, count: int) -> float:
    """Seconds after `due`, in milliseconds since 1970, at which the last of `count` runs was recorded."""
    while True:
        time.sleep(0.1)
        if time.time() * 1000 < due:
            continue
        with sqlite3.connect(f"file:{state}?mode=ro", uri=True) as database:
            found = database.execute("SELECT count(*) FROM run WHERE slot = ?", [due]).fetchone()[0]
        if found >= count:
            return time.time() - due / 1000
        if time.time() * 1000 > due + 120_000:
            raise SystemExit(f"only {found} of {count} slots have a run two minutes later")


if __name__ == "__main__":
    main()
