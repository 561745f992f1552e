"""Reaction to `cp`: isolated drops written in place and closed, from the close to the start of the program.

Runs inside the peers' harness (run.py starts it); the time a system waits for quiet is part of what it prints.
"""

from __future__ import annotations

import os
import sys
import time

from adapters import pick
from lib import INBOX, fresh, now, pct, probe, save, settle, stamps, wait_names

COUNT = int(os.environ.get("COPIES_N", "12"))
GAP = float(os.environ.get("COPIES_GAP", "0.6"))


def copy_in(name: str) -> int:
    with open(f"{INBOX}/{name}", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("x" * 64)
        file.flush()
    closed: int = now()
    return closed


def main() -> None:
    for system in pick(sys.argv[1]):
        try:
            fresh()
            system.setup()
            system.start()
            if probe(system) is None:
                save("cp", system.name, {"error": "never ready"})
                continue
            settle(1)
            names = [f"p{number:04d}.in" for number in range(COUNT)]
            closed = {}
            for number, name in enumerate(names):
                closed[name] = copy_in(name)
                # at no fixed phase of anybody's timer
                time.sleep(GAP + (number * 37 % 97) / 1000)
            wait_names(names, 5, 30)
            starts = stamps()[0]
            taken = [(min(starts[name]) - closed[name]) / 1e6 for name in names if name in starts]
            twice = sum(len(starts[name]) - 1 for name in names if name in starts)
            row = {"n": COUNT, "got": len(taken), "dup": twice}
            if taken:
                row |= {"p50": round(pct(taken, 0.5), 2), "max": round(max(taken), 2)}
            save("cp", system.name, row)
        finally:
            system.stop()


main()
