"""Proves the harness itself: bugs of the protocol, sown as patches, must be caught, or the rest proves nothing."""

from __future__ import annotations

import argparse
import pathlib
import shutil
import subprocess
import sys
import time

import build

FOLDER = build.ROOT / "bench/torture/bugs"


def patches() -> list[pathlib.Path]:
    return sorted(FOLDER.glob("*.patch"))


def stale() -> list[str]:
    """Patches that do not apply to the tree as it is."""
    found = []
    for patch in patches():
        words = ["git", "apply", "--check", "--recount", "-C1", str(patch)]
        done = subprocess.run(words, cwd=build.ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            found.append(f"{patch.name}: {done.stderr.strip()}")
    return found


def prove(asked: argparse.Namespace, root: pathlib.Path) -> int:
    """Builds the tree with each bug and tortures it until the first violation; 1 where one is not caught."""
    import __main__ as program

    missed = []
    chosen = [patch for patch in patches() if not asked.bug or patch.name.startswith(tuple(asked.bug))]
    for patch in chosen:
        folder = root / patch.stem
        programs = folder / "programs"
        programs.mkdir(parents=True)
        began = time.monotonic()
        try:
            build.build(patch, programs)
        except build.Unbuildable as problem:
            print(f"{patch.name}: cannot be built: {problem}", file=sys.stderr)
            missed.append(patch.name)
            continue
        print(f"{patch.name}: built in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        torture = program.Torture(asked, folder, programs, stop_at_first=True)
        torture.run()
        first = torture.yard.first
        if first:
            print(
                f"{patch.name}: caught by {first.job.level} at point {first.job.name} after {time.monotonic() - began:.0f} s"
            )
            print(f"    {first.violations[0]}", flush=True)
        else:
            print(f"{patch.name}: NOT CAUGHT", flush=True)
            missed.append(patch.name)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} seeded bugs caught")
    return 1 if missed else 0
