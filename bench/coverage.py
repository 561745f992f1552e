"""Line coverage by target, from what `swift test --enable-code-coverage` leaves and what the programs it ran left beside."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile


def toolchain(name: str) -> str:
    """A tool of the Swift toolchain: another LLVM's does not read its counts."""
    swift = shutil.which("swift") or sys.exit("coverage: no `swift` on PATH")
    return str(pathlib.Path(swift).resolve().parent / name)


def merge(files: list[pathlib.Path], into: pathlib.Path) -> bool:
    command = [toolchain("llvm-profdata"), "merge", "-sparse", *map(str, files), "-o", str(into)]
    return subprocess.run(command, capture_output=True).returncode == 0


def counted(export: pathlib.Path) -> dict:
    """The counts of the tests with those of the programs they ran; what a killed program left half written is left out."""
    programs = sorted((export.parent / "programs").glob("*.profraw"))
    with tempfile.TemporaryDirectory() as place:
        one, both = pathlib.Path(place, "one"), pathlib.Path(place, "both")
        whole = [file for file in programs if merge([file], one)]
        if len(whole) < len(programs):
            print(f"coverage: {len(programs) - len(whole)} of {len(programs)} counts of killed programs are not whole")
        if not whole or not merge([export.parent / "default.profdata", *whole], both):
            return json.loads(export.read_text())
        binary = next(export.parent.parent.glob("*.xctest"))
        command = [toolchain("llvm-cov"), "export", "-summary-only", f"-instr-profile={both}", str(binary)]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def main() -> None:
    targets: dict[str, list[int]] = {}
    for file in counted(pathlib.Path(sys.argv[1]))["data"][0]["files"]:
        parts = pathlib.PurePath(file["filename"]).parts
        if "Sources" not in parts or ".build" in parts:
            continue
        target = parts[parts.index("Sources") + 1]
        lines = file["summary"]["lines"]
        counts = targets.setdefault(target, [0, 0])
        counts[0] += lines["covered"]
        counts[1] += lines["count"]
    print(f"{'line coverage':<20}{'lines':>8}{'covered':>9}")
    for target, (covered, count) in sorted(targets.items()):
        share = 100 * covered / count if count else 0.0
        print(f"{target:<20}{count:>8}{share:>8.1f}%")


main()
