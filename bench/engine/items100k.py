"""A hundred thousand items through two stages by a warm worker: throughput, memory of the agent, every outcome there.

    python3 bench/engine/items100k.py PENSTOCK [--items 100000] [--check]

The worker answers at once, so what is measured is the agent. Resident set and CPU are those of the agent alone, from
/proc; the peak is VmHWM. With --check it exits 1 where the peak is over 150 MB or an outcome is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from place import Place, compiled

PIPELINE = """pipeline: { name: many }
trigger: { inbox: "many-*.jsonl" }
stages:
  - { name: s0, uses: bench/call, each: { from: input, concurrency: 64 } }
  - { name: s1, uses: bench/call, each: {} }
"""

MANIFEST = """stage: bench/call
version: 1.0.0
summary: "answers at once"
run: ["{program}"]
persistent: true
worker: {{ in_flight: 64, most: 1, calls: 1000000000 }}
"""

MOST = 150e6


def memory(pid: int) -> tuple[float, float]:
    """Resident set of a process now and at its peak, bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    values = dict(line.split(":", 1) for line in text.splitlines() if line.startswith(("VmRSS", "VmHWM")))
    return int(values["VmRSS"].split()[0]) * 1024, int(values["VmHWM"].split()[0]) * 1024


def cpu(pid: int) -> float:
    """User and system seconds of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description="many items through a warm worker")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    items = "".join(
        json.dumps({"id": f"question-{n:06}", "text": f"what is {n} times {n % 97}?"}, separators=(",", ":")) + "\n"
        for n in range(asked.items)
    )
    with tempfile.TemporaryDirectory(prefix="penstock-items-") as name:
        folder = pathlib.Path(name)
        place = Place(asked.program.resolve(), folder / "home")
        place.write("stages/bench/call.yaml", MANIFEST.format(program=compiled("item_worker.c", folder)))
        place.write("pipelines/many.yaml", PIPELINE)
        with place.up() as agent:
            before, _ = memory(agent.pid)
            begun = place.drop("many-1.jsonl", items)
            seconds = place.ended(1, pace=0.05) - begun
            after, peak = memory(agent.pid)
            used = cpu(agent.pid)
        state = place.state()
        counts = state.execute("SELECT stage, state, count(*) FROM item GROUP BY stage, state ORDER BY 1, 2").fetchall()
        state.close()
        lines = sum(1 for _ in next((folder / "home/var/runs").glob("*/s1/items.jsonl")).open("rb"))
    calls = 2 * asked.items
    print(f"{asked.items} items x 2 stages through one warm worker, 64 calls in flight")
    print("| what | figure |\n|---|---|")
    print(f"| from the drop to the recorded end | {seconds:.1f} s |")
    print(f"| calls | {calls / seconds:.0f}/s |")
    print(f"| CPU of the agent for a call | {used / calls * 1e6:.0f} us |")
    print(f"| resident set before, after, at the peak | {before / 1e6:.0f}, {after / 1e6:.0f}, {peak / 1e6:.0f} MB |")
    print(f"| outcomes recorded | {', '.join(f'{stage} {count} {word}' for stage, word, count in counts)} |")
    print(f"| lines of the output `items` | {lines} |")
    right = peak <= MOST and counts == [("s0", "ok", asked.items), ("s1", "ok", asked.items)] and lines == asked.items
    return 0 if right or not asked.check else 1


if __name__ == "__main__":
    sys.exit(main())
