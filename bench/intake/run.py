"""Intake beside the C floors and the peers, in one run: `python3 bench/intake/run.py .build/release/penstock [--whole]`.

Each round runs every system once, scenario by scenario, so that a machine that slows down slows all of them; ratios are
taken within a round. The floors: `bare` is a watcher in C that remembers nothing, `durable` is C doing the same durable
steps (bench/floor_durable.c). The peers' harness is named with --peers or PENSTOCK_PEERS.
"""

from __future__ import annotations

import argparse
import collections
import os
import pathlib
import sys
import tempfile

from harness import Harness, Missing, Row, peers_folder
from ledger import unrecorded
from table import block

OURS, BARE, DURABLE = "penstock", "bare floor (C)", "durable floor (C)"
SETTLE_MS = 2000.0
Figures = dict[str, list[float]]


class Bench:
    """The scenarios, and what they found so far."""

    def __init__(self, harness: Harness, options: argparse.Namespace) -> None:
        self.harness, self.options = harness, options
        self.peers = harness.installed() if options.whole else {}
        self.figures: dict[str, Figures] = collections.defaultdict(dict)
        self.counts: list[str] = []

    def _note(self, scenario: str, system: str, value: float | None) -> None:
        if value is not None:
            self.figures[scenario].setdefault(system, []).append(value)

    def _row(self, key: str, system: str, script: str, *arguments: str, **environment: str) -> Row:
        """Runs one system through one script of the harness; its row."""
        name = self.peers.get(system, system)
        rows = self.harness.run(script, name, *arguments, **environment).get(key, {})
        row = next(iter(rows.values()), {"error": "no result"})
        print(f"  {system}: {row}", file=sys.stderr, flush=True)
        return row

    def _systems(self, index: int, *names: str) -> list[str]:
        """Whose turn it is: the first of one round is the last of the next; peers once, at the end."""
        order = list(names) if index % 2 == 0 else list(reversed(names))
        return order + (list(self.peers) if index == 0 else [])

    def _stream(self, index: int) -> None:
        self.harness.adapt(s1_n=self.options.stream)
        for system in self._systems(index, DURABLE, OURS):
            row = self._row("S1", system, "events.py", "s1")
            self._note("stream", system, row.get("p50"))
            if system == OURS:
                self._exactly_once("stream", row.get("n", 0) - row.get("got", 0), row.get("dup"))

    def _isolated(self, index: int) -> None:
        self.harness.adapt()
        for system in self._systems(index, DURABLE, OURS):
            row = self._row("S1i", system, "s1iso.py", S1I_N=str(self.options.isolated))
            self._note("isolated", system, row.get("p50"))

    def _copies(self, index: int) -> None:
        self.harness.adapt()
        for system in self._systems(index, DURABLE, OURS):
            row = self._row("cp", system, "copies.py", COPIES_N=str(self.options.isolated))
            p50 = row.get("p50")
            self._note("cp", system, p50 - SETTLE_MS if system == OURS and p50 else p50)

    def _burst(self, index: int, count: int) -> None:
        self.harness.adapt(s2=[count], s2_limit=max(120, count // 100))
        for system in self._systems(index, BARE, OURS, DURABLE):
            if system in self.peers and count > 10_000:
                continue
            row = self._row("S2", system, "events.py", "s2", BENCH_BURST_MAX=str(count))
            self._note(f"burst {count}", system, row.get("per_s"))
            if system == OURS:
                self._exactly_once(f"burst of {count:,}", row.get("missing"), row.get("dup_starts"))

    def _kill(self, index: int) -> None:
        self.harness.adapt()
        for system in self._systems(index, OURS):
            row = self._row("S6", system, "events.py", "s6")
            lost = sum(row.get(key, 0) for key in ("lost_before", "lost_down", "lost_after"))
            text = f"kill -9 in a burst of {row.get('n')}: {system}: {lost} lost"
            if system == OURS:
                text += "".join(f", {count} {word}" for word, count in self._ledger().items())
            text += f"; {row.get('twice_before')} of those at work when it was killed ran again"
            self.counts.append(text)

    def _stopped(self, index: int) -> None:
        self.harness.adapt()
        for system in self._systems(index, OURS):
            row = self._row("S2o", system, "overflow.py")
            self.counts.append(
                f"18,000 files while it was stopped: {system}: {row.get('missing')} missing, {row.get('dup_starts')} twice"
            )

    def _ledger(self) -> dict[str, int]:
        return unrecorded(self.harness.root / "run")

    def _exactly_once(self, what: str, missing: object, twice: object) -> None:
        self.counts.append(f"{what}: {OURS}: {missing} missing, {twice} twice")

    def run(self) -> None:
        """Runs all that was asked for, round by round."""
        bursts = [int(size) for size in self.options.bursts.split(",") if size]
        scenarios = {
            "stream": self._stream,
            "isolated": self._isolated,
            "cp": self._copies,
            "kill": self._kill,
            "stopped": self._stopped,
        }
        for index in range(self.options.rounds):
            for name in self.options.only.split(","):
                print(f"round {index + 1}: {name}", file=sys.stderr, flush=True)
                if name == "burst":
                    for size in bursts:
                        self._burst(index, size)
                elif name in ("kill", "stopped") and index > 0 and not self.options.whole:
                    continue
                else:
                    scenarios[name](index)

    def show(self) -> None:
        """Prints the tables."""
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"intake, {self.options.rounds} rounds side by side; {cores} cores, load {load:.1f} at the end")
        for scenario, title in (
            ("stream", "reaction to `mv`, one every 50 ms, median"),
            ("isolated", "reaction to `mv`, one every 1.5 s, median"),
            ("cp", "reaction to `cp`, median, less our 2 s of settling"),
        ):
            if scenario in self.figures:
                block(title, "ms", self.figures[scenario], [DURABLE], lambda value: f"{value:.1f}")
        for scenario, figures in self.figures.items():
            if scenario.startswith("burst"):
                block(f"{scenario} drops at once", "per s", figures, [BARE, DURABLE], lambda value: f"{value:.0f}")
        print()
        for line in self.counts:
            print(line)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Intake beside the C floors and the peers, in one run.")
    parser.add_argument("penstock", type=pathlib.Path, help="the release build's program, its spawner beside it")
    parser.add_argument("--whole", action="store_true", help="all sizes, more rounds, and the peers")
    parser.add_argument("--peers", help="the folder of the peers' harness")
    parser.add_argument("--root", type=pathlib.Path, help="an empty folder on a real disk, kept (else a temporary one)")
    parser.add_argument("--install", action="store_true", help="install the peers that install quickly")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--bursts", help="sizes, such as 2000,10000")
    parser.add_argument("--only", default="stream,isolated,cp,burst,kill,stopped")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (5 if chosen.whole else 2)
    chosen.bursts = chosen.bursts or ("2000,10000,100000" if chosen.whole else "2000")
    chosen.stream = 300 if chosen.whole else 100
    chosen.isolated = 20 if chosen.whole else 10
    return chosen


def main() -> int:
    chosen = options()
    try:
        peers = peers_folder(chosen.peers)
        with tempfile.TemporaryDirectory(prefix="penstock-intake-") as folder:
            harness = Harness(peers, (chosen.root or pathlib.Path(folder)).resolve(), chosen.penstock.resolve())
            if chosen.install:
                harness.install()
            bench = Bench(harness, chosen)
            bench.run()
            bench.show()
    except Missing as missing:
        print(f"bench/intake: {missing}")
        return 0 if "PENSTOCK_BENCH_ALL" in os.environ else 1
    return 0


sys.exit(main())
