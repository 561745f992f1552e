#!/usr/bin/env python3
# Quarantines a drop in which SCAN_COMMAND (`clamdscan --fdpass`) finds something; what cannot be scanned waits.
# On: ln -s ../examples/scan.py hooks/on-arrival.d/10-scan   with env: [SCAN_COMMAND]
import json
import os
import shlex
import subprocess
import sys


def scan(command, paths):
    try:
        # the path is absolute, so no name of a file is taken for an option; and there is no shell
        done = subprocess.run(
            command + paths, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    except OSError as error:
        return later(f"not scanned: {error}")
    said = done.stdout.decode("utf-8", "backslashreplace").strip()
    print(said, file=sys.stderr)
    if done.returncode == 0:
        return {}
    last = said.splitlines()[-1] if said else "no word from the scanner"
    if done.returncode == 1:
        return {"decision": "deny", "reason": f"the scan found something: {last}"}
    return later(f"not scanned: the scanner ended with {done.returncode}: {last}")


def later(reason):
    return {"decision": "defer", "retry_after": "5m", "reason": reason}


request = json.load(sys.stdin)
command = shlex.split(os.environ.get("SCAN_COMMAND", ""))
paths = [entry["path"] for entry in request["inputs"]]
json.dump(scan(command, paths) if command else later("not scanned: SCAN_COMMAND is not set"), sys.stdout)
