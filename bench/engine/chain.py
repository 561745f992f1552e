"""A run of ten stages with a hook before and after each, thirty processes; and a graph of a thousand stages.

Each beside the same spawns with the same number of FULL commits in C (floor_chain.c), interleaved in one run; the
thousand beside `make` too, which records nothing. A run is timed from the request on the agent's socket to its end, by a
client in C (timed_run.c).

    python3 bench/engine/chain.py [PENSTOCK] [RUNS]
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TRUE = "/bin/true"


def compiled(folder: pathlib.Path, name: str, *libraries: str) -> pathlib.Path:
    program = folder / name
    subprocess.run(["cc", "-O2", "-o", program, HERE / f"{name}.c", *libraries], check=True)
    return program


def ask(home: pathlib.Path, request: dict[str, object]) -> dict[str, object]:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(home / "var/penstock.sock"))
        link.sendall(json.dumps(request).encode() + b"\n")
        text = b""
        while not text.endswith(b"\n"):
            part = link.recv(1 << 16)
            if not part:
                break
            text += part
    answer: dict[str, object] = json.loads(text)
    return answer


@contextlib.contextmanager
def agent(penstock: pathlib.Path, home: pathlib.Path, pipelines: dict[str, str], hooks: bool) -> Iterator[None]:
    for name in ("inbox", "pipelines", "etc", "hooks"):
        (home / name).mkdir()
    (home / "etc/penstock.yaml").write_text("concurrency: 4\nreserve: 1MiB\n")
    (home / "data.csv").write_text("a\n1\n")
    for name, stages in pipelines.items():
        (home / f"pipelines/{name}.yaml").write_text(
            f"pipeline: {{ name: {name} }}\ndata: {{ sources: [ {{ type: csv, path: data.csv }} ] }}\nstages:\n{stages}"
        )
    if hooks:
        for event in ("before-stage", "after-stage"):
            (home / f"hooks/{event}.d").mkdir()
            shutil.copy(TRUE, home / f"hooks/{event}.d/10-true")
    process = subprocess.Popen(
        [penstock, "up", "-C", home],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            with contextlib.suppress(OSError):
                ask(home, {"op": "ping"})
                break
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def timed(client: pathlib.Path, home: pathlib.Path, pipeline: str) -> float:
    told = subprocess.check_output([client, home / "var/penstock.sock", pipeline], text=True)
    milliseconds, state = told.split()
    if state != "done":
        raise SystemExit(f"chain.py: a run ended otherwise: {state}")
    return float(milliseconds)


def recorded(home: pathlib.Path) -> tuple[int, int]:
    with contextlib.closing(sqlite3.connect(f"file:{home}/var/state.db?mode=ro", uri=True)) as database:
        attempts = database.execute("SELECT count(*) FROM attempt WHERE state = 'ok'").fetchone()[0]
        calls = database.execute("SELECT count(*) FROM hook_call WHERE decision = 'allow'").fetchone()[0]
    return int(attempts), int(calls)


def floor_ms(floor: pathlib.Path, folder: pathlib.Path, stages: int, spawns: int) -> float:
    return float(subprocess.check_output([floor, folder / "floor.db", str(stages), str(spawns)]))


def row(name: str, ours: list[float], floors: list[float]) -> None:
    ratios = sorted(a / b for a, b in zip(ours, floors, strict=True))
    print(
        f"{name:34} {statistics.median(ours):10.1f} {statistics.median(floors):10.1f}"
        f" {statistics.median(ours) / statistics.median(floors):8.2f} {min(ours) / min(floors):8.2f}"
        f"   {ratios[len(ratios) // 4]:.2f}-{ratios[-1 - len(ratios) // 4]:.2f}"
    )


def makefile(path: pathlib.Path, wide: int, deep: int) -> None:
    lines = [
        f".PHONY: {' '.join(f's{i}' for i in range(wide * deep))}",
        f"all: {' '.join(f's{wide * deep - 1 - i}' for i in range(wide))}",
    ]
    for index in range(wide * deep):
        needs = f"s{index - wide}" if index >= wide else ""
        lines.append(f"s{index}: {needs}\n\t{TRUE}")
    path.write_text("\n".join(lines) + "\n")


def main() -> None:
    penstock = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release/penstock").resolve()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    print(f"{'':34} {'penstock ms':>10} {'floor ms':>10} {'median':>8} {'least':>8}   quartiles of the pairs")
    with tempfile.TemporaryDirectory(prefix="penstock-chain-") as name:
        folder = pathlib.Path(name)
        floor = compiled(folder, "floor_chain", "-lsqlite3")
        client = compiled(folder, "timed_run")
        for title, hooks, spawns in (
            ("10 stages", False, 1),
            ("10 stages, 20 hooks: 30 processes", True, 3),
        ):
            home = folder / ("hooks" if hooks else "plain")
            home.mkdir()
            stages = "".join(f'  - {{ name: s{i}, run: ["{TRUE}"] }}\n' for i in range(10))
            with agent(penstock, home, {"chain": stages}, hooks):
                timed(client, home, "chain")
                pairs = [(timed(client, home, "chain"), floor_ms(floor, folder, 10, spawns)) for _ in range(runs)]
                row(title, [a for a, _ in pairs], [b for _, b in pairs])
            attempts, calls = recorded(home)
            assert (attempts, calls) == (
                (runs + 1) * 10,
                (runs + 1) * 20 if hooks else 0,
            ), (attempts, calls)
        wide, deep = 10, 100
        home = folder / "graph"
        home.mkdir()
        stages = "".join(
            f'  - {{ name: s{i}, run: ["{TRUE}"], needs: [{f"s{i - wide}" if i >= wide else ""}] }}\n'
            for i in range(wide * deep)
        )
        makefile(folder / "Makefile", wide, deep)
        with agent(penstock, home, {"graph": stages}, False):
            pairs = []
            made = []
            for _ in range(max(3, runs // 10)):
                begin = time.monotonic()
                subprocess.run(["make", "-s", "-j4", "-C", folder], check=True)
                made.append((time.monotonic() - begin) * 1e3)
                pairs.append(
                    (
                        timed(client, home, "graph"),
                        floor_ms(floor, folder, wide * deep, 1),
                    )
                )
            row(
                "1,000 stages, ten branches",
                [a for a, _ in pairs],
                [b for _, b in pairs],
            )
            row("  the same over make -j4", [a for a, _ in pairs], made)


if __name__ == "__main__":
    main()
