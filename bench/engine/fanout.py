"""Fan-out: 100 items through three stages (75, 50 and 35 ms), ten calls at once, even and uneven (x 0.4 to 1.6).

    python3 bench/engine/fanout.py PENSTOCK [--rounds 8] [--check]

Everything runs in turns, so that a busy machine troubles all alike; the best and the median of the rounds are shown,
and the ratio is of the best to the bound: a tenth of all calls, which no order of them can beat.
Penstock is measured from the rename of the drop into the inbox until the run stands as done in the database; the
others from the start of their program to its end, where `batch-gather` is an asyncio program that waits for each
batch of ten. With --check it exits 1 where warm workers take more than 1.05 of the bound or are not 1.25x faster than
batch-gather with uneven calls, or plain processes are slower than make.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from place import Place, compiled

BASE = (75, 50, 35)
ITEMS, LANES = 100, 10
Table = list[list[float]]


def table(kind: str) -> Table:
    """Milliseconds by item and stage; the uneven ones are those of the peers' harness."""
    chance = random.Random(7)
    return [
        [round(base * (chance.uniform(0.4, 1.6) if kind == "uneven" else 1), 1) for base in BASE] for _ in range(ITEMS)
    ]


def bound(times: Table) -> float:
    """Seconds that ten lanes need at the least."""
    return sum(map(sum, times)) / LANES / 1000


PIPELINE = """pipeline: {{ name: {name} }}
trigger: {{ inbox: "{name}-*.jsonl" }}
stages:
  - {{ name: s0, {program}, each: {{ from: input, concurrency: 10 }} }}
  - {{ name: s1, {program}, each: {{}} }}
  - {{ name: s2, {program}, each: {{}} }}
"""

MANIFEST = """stage: bench/call
version: 1.0.0
summary: "waits as long as the item says"
run: ["{program}"]
persistent: true
worker: {{ in_flight: 10, most: 1 }}
"""

GATHER = """import asyncio, json, sys
T = json.load(open(sys.argv[1]))
async def item(times):
    for t in times: await asyncio.sleep(t / 1e3)
async def main():
    for i in range(0, len(T), 10): await asyncio.gather(*[item(x) for x in T[i:i + 10]])
asyncio.run(main())
"""


class Contest:
    """All who take part, for one kind of times."""

    def __init__(self, kind: str, place: Place, folder: pathlib.Path, program: pathlib.Path) -> None:
        self.kind, self.place, self.folder = kind, place, folder
        self.times = table(kind)
        self.items = "".join(
            json.dumps({"id": f"i{n}", "ms": item}, separators=(",", ":")) + "\n" for n, item in enumerate(self.times)
        )
        self.table = folder / f"{kind}.json"
        self.table.write_text(json.dumps(self.times))
        self.makefile = folder / f"{kind}.mk"
        self.makefile.write_text(self.rules(program))
        (folder / "gather.py").write_text(GATHER)
        self.runs = 0

    def rules(self, program: pathlib.Path) -> str:
        """The same calls as a makefile, item by item."""
        names = [f"i{n}{stage}" for n in range(ITEMS) for stage in "abc"]
        text = f"all: {' '.join(f'i{n}c' for n in range(ITEMS))}\n.PHONY: all {' '.join(names)}\n"
        for number, item in enumerate(self.times):
            for stage, milliseconds in zip("abc", item, strict=True):
                before = f"i{number}{chr(ord(stage) - 1)}" if stage > "a" else ""
                text += f"i{number}{stage}: {before}\n\t{program} {milliseconds}\n"
        return text

    def penstock(self, pipeline: str, number: int) -> float:
        """Seconds from the drop to the recorded end."""
        self.runs += 1
        begun = self.place.drop(f"{pipeline}-{self.kind}-{self.runs}.jsonl", self.items)
        # it cannot be over before, and to ask all the time would be a load that the others do not have
        time.sleep(bound(self.times))
        return self.place.awaited(number) - begun

    @staticmethod
    def command(*words: str) -> float:
        """Seconds of a program."""
        begun = time.monotonic()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - begun

    def sequential(self) -> float:
        """Seconds of all calls one after another, from the table: nothing is learned by waiting for it."""
        return sum(map(sum, self.times)) / 1000


def main() -> int:
    """Prints the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description="fan-out against barriers, make and the bound")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    right = True
    with tempfile.TemporaryDirectory(prefix="penstock-fanout-") as name:
        folder = pathlib.Path(name)
        program = compiled("item_worker.c", folder)
        place = Place(asked.program.resolve(), folder / "home")
        place.write("stages/bench/call.yaml", MANIFEST.format(program=program))
        place.write("pipelines/warm.yaml", PIPELINE.format(name="warm", program="uses: bench/call"))
        place.write("pipelines/plain.yaml", PIPELINE.format(name="plain", program=f'run: ["{program}"]'))
        with place.up():
            runs = 0
            for kind in ("even", "uneven"):
                contest = Contest(kind, place, folder, program)
                found: dict[str, list[float]] = {}

                def note(who: str, measure: Callable[[], float], found: dict[str, list[float]] = found) -> None:
                    found.setdefault(who, []).append(measure())

                for turn in range(asked.rounds):
                    for pipeline in ("warm", "plain"):
                        runs += 1
                        ended = runs
                        note(
                            f"penstock, {pipeline}",
                            lambda c=contest, p=pipeline, e=ended: c.penstock(p, e),  # type: ignore[misc]
                        )
                    note("make -j10", lambda c=contest: c.command("make", "-s", "-j10", "-f", str(c.makefile)))  # type: ignore[misc]
                    note(
                        "batch-gather, in one process",
                        lambda c=contest: c.command(sys.executable, str(folder / "gather.py"), str(c.table)),  # type: ignore[misc]
                    )
                    if turn == 0:
                        note("sequential, by the table", contest.sequential)
                floor = bound(contest.times)
                print(f"\n{ITEMS} items x 3 stages, {LANES} at once, {kind}; bound {floor:.3f} s")
                print("| | best s | median s | of the bound |\n|---|---|---|---|")
                best = {who: min(seconds) for who, seconds in found.items()}
                for who, seconds in found.items():
                    print(f"| {who} | {best[who]:.3f} | {statistics.median(seconds):.3f} | {best[who] / floor:.3f} |")
                if kind == "uneven":
                    right = (
                        best["penstock, warm"] <= 1.05 * floor
                        and best["batch-gather, in one process"] >= 1.25 * best["penstock, warm"]
                        and best["penstock, plain"] <= best["make -j10"]
                    )
    return 0 if right or not asked.check else 1


if __name__ == "__main__":
    sys.exit(main())
