"""Builds what is tortured: this tree, or a copy of it with a patch; with failpoints, in a scratch path of its own."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRATCH = ROOT / ".build-torture"
TREE = SCRATCH / "tree"
SWIFT = os.environ.get("SWIFT", "swift")


class Unbuildable(Exception):
    """What the compiler, or `git apply`, said."""


def copy_tree(patch: pathlib.Path | None) -> None:
    """Brings the copy up to date and applies the patch; a file that stays the same keeps its time, so builds are short."""
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "-z",
            "-c",
            "-o",
            "--exclude-standard",
            "Sources",
            "Package.swift",
            "fuzz/targets",
            "bench/trials/worlds",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.split(b"\0")
    names = {os.fsdecode(name) for name in listed if name and (ROOT / os.fsdecode(name)).is_file()}
    fresh = SCRATCH / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    for name in sorted(names):
        (fresh / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, fresh / name)
    tests = {part.split('"')[1] for part in (fresh / "Package.swift").read_text().split("tests(")[2:]}
    for name in tests:
        (fresh / "Tests" / name).mkdir(parents=True, exist_ok=True)
        (fresh / "Tests" / name / "none.swift").touch()
    if patch:
        # outside of any repository, so that the copy is what is patched
        environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(SCRATCH)}
        done = subprocess.run(
            [
                "git",
                "apply",
                "--recount",
                "-C1",
                "--include=Sources/*",
                "--include=Package.swift",
                str(patch.resolve()),
            ],
            cwd=fresh,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Unbuildable(f"{patch.name} does not apply to this tree: {done.stderr.strip()}")
    kept = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    for path in TREE.rglob("*"):
        if path.is_file() and path.relative_to(TREE) not in kept:
            path.unlink()
    for path in kept:
        target = TREE / path
        if target.exists() and target.read_bytes() == (fresh / path).read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fresh / path, target)
    shutil.rmtree(fresh)
    if (ROOT / "Package.resolved").exists():
        shutil.copyfile(ROOT / "Package.resolved", TREE / "Package.resolved")


def build(patch: pathlib.Path | None, programs: pathlib.Path) -> None:
    """Puts `penstock`, `penstock-spawner` and `effect` into a directory.

    Raises:
        Unbuildable: with what the compiler said.
    """
    TREE.mkdir(parents=True, exist_ok=True)
    copy_tree(patch)
    words = [SWIFT, "build", "--package-path", str(TREE), "--scratch-path", str(SCRATCH / "build")]
    flags = os.environ | {"PENSTOCK_FAILPOINTS": "1"}
    done = subprocess.run(words, env=flags, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line]
        raise Unbuildable("\n".join(lines[:10] or [done.stderr[-2000:]]))
    for product in ("penstock", "penstock-spawner"):
        shutil.copy(SCRATCH / "build/debug" / product, programs)
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        sys.exit("torture: no C compiler for its stage (cc, gcc or clang): `make setup` installs one")
    source = ROOT / "bench/torture/effect.c"
    subprocess.run([compiler, "-O2", "-static", "-s", "-o", str(programs / "effect"), str(source)], check=True)
