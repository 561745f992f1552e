#!/usr/bin/env python3
# Denies a run with more input than MAX_INPUT_BYTES (100 MB if unset): it fails and says so.
# On: ln -s ../examples/veto-by-size.py hooks/before-run.d/10-veto-by-size   with env: [MAX_INPUT_BYTES]
import json
import os
import sys

request = json.load(sys.stdin)
limit = int(os.environ.get("MAX_INPUT_BYTES", 100_000_000))
size = sum(entry["bytes"] for entry in request["inputs"])
if size > limit:
    reason = f"the input has {size:,} bytes, and {limit:,} are allowed (MAX_INPUT_BYTES)"
    json.dump({"decision": "deny", "reason": reason}, sys.stdout)
