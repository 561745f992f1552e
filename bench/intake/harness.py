"""A place for the peers' harness to work in: its scripts by link, our adapters beside them, the C programs built.

Nothing of the harness is copied. It finds adapters in `harness/adapters.d` below BENCH_ROOT, and there ours lie.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
BENCH = HERE.parent
STANDARD = BENCH.parent.parent / "shared/bench/peers"
Row = dict[str, Any]


class Missing(Exception):
    """Something this benchmark needs is not here."""


def peers_folder(named: str | None) -> pathlib.Path:
    """Where the harness lies: as named, by PENSTOCK_PEERS, or beside the checkout."""
    folder = pathlib.Path(named or os.environ.get("PENSTOCK_PEERS") or STANDARD).resolve()
    if not (folder / "events.py").exists():
        raise Missing(
            f"the peers' harness is not in `{folder}`: name the folder that holds events.py with --peers DIR or "
            "PENSTOCK_PEERS"
        )
    return folder


class Harness:
    """One BENCH_ROOT and the programs in it."""

    def __init__(self, peers: pathlib.Path, root: pathlib.Path, penstock: pathlib.Path) -> None:
        self.peers, self.root = peers, root
        self.environment = os.environ | {
            "BENCH_ROOT": str(root),
            "BENCH_RUN": str(root / "run"),
            "PENSTOCK": str(penstock),
            "PYTHONPATH": str(peers),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        (root / "bin").mkdir(parents=True, exist_ok=True)
        self.adapters = root / "harness/adapters.d"
        self.adapters.mkdir(parents=True, exist_ok=True)
        for script in peers.iterdir():
            link = root / "harness" / script.name
            if script.is_file() and not link.exists():
                link.symlink_to(script)
        self._compile()

    def _compile(self) -> None:
        for name, source, flags in (
            ("stamp", self.peers / "stamp.c", ["-static"]),
            ("floor_watch", self.peers / "floor_watch.c", ["-lsqlite3"]),
            ("floor_durable", BENCH / "floor_durable.c", ["-lsqlite3", "-lpthread"]),
        ):
            command = ["cc", "-O2", "-w", "-o", str(self.root / "bin" / name), str(source), *flags]
            if subprocess.run(command, check=False).returncode != 0:
                raise Missing(f"`{source.name}` does not compile: a C compiler and libsqlite3-dev are needed")

    def adapt(self, **changes: Any) -> None:
        """Writes our adapters anew, with `changes` to what they say of the scenarios."""
        for file in sorted(HERE.glob("*.json")):
            adapter = json.loads(file.read_text()) | changes
            (self.adapters / file.name).write_text(json.dumps(adapter))

    def run(self, script: str, *arguments: str, **environment: str) -> dict[str, dict[str, Row]]:
        """Runs one script of the harness, or one of ours; its rows, by scenario and system."""
        path = self.root / "harness" / script
        results = self.root / "results.json"
        results.unlink(missing_ok=True)
        subprocess.run(
            [sys.executable, str(path if path.exists() else HERE / script), *arguments],
            check=False,
            env=self.environment | {"BENCH_RESULTS": str(results)} | environment,
            stdout=subprocess.DEVNULL,
            cwd=self.root,
        )
        rows: dict[str, dict[str, Row]] = json.loads(results.read_text()) if results.exists() else {}
        return rows

    def installed(self) -> dict[str, str]:
        """The peers that are here: what the table calls them, and what the harness does."""
        small = self.root / "venvs/small/bin/python"
        found = {
            "inoticoming": ("inoticoming", shutil.which("inoticoming")),
            "incron": ("incron", shutil.which("incrond", path="/usr/sbin:/usr/bin")),
            "inotifywait loop": ("while read", shutil.which("inotifywait")),
            "watchdog": ("watchdog API", small.exists()),
            "huey, SQLite": ("huey", small.exists()),
        }
        return {label: key for label, (key, is_here) in found.items() if is_here}

    def install(self) -> None:
        """Installs the quick ones: Debian packages as root, the Python ones in an environment of their own."""
        packages = ["inoticoming", "incron", "inotify-tools"]
        if os.geteuid() == 0:
            command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        small = self.root / "venvs/small"
        if not small.exists():
            subprocess.run([sys.executable, "-m", "venv", str(small)], check=False)
            pip = [str(small / "bin/pip"), "install", "-q", "watchdog", "huey"]
            if subprocess.run(pip, check=False).returncode != 0:
                shutil.rmtree(small, ignore_errors=True)
