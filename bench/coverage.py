"""Line coverage by target, from the JSON that `swift test --enable-code-coverage` leaves."""

import json
import pathlib
import sys


def main() -> None:
    data = json.loads(pathlib.Path(sys.argv[1]).read_text())["data"][0]
    targets: dict[str, list[int]] = {}
    for file in data["files"]:
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
