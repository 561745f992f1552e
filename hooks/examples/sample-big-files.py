#!/usr/bin/env python3
# Trains on sampled data (`medium`) above BIG_ROWS rows (1,000,000) or BIG_BYTES of drop (500 MB).
# On: ln -s ../examples/sample-big-files.py hooks/before-train.d/10-sample   with env: [BIG_ROWS, BIG_BYTES]
import json
import os
import sys

request = json.load(sys.stdin)
rows = request["context"].get("tabular.rows", 0)  # what tabular/ingest counted
size = (request.get("drop") or {}).get("bytes", 0)
most_rows = int(os.environ.get("BIG_ROWS", 1_000_000))
most_bytes = int(os.environ.get("BIG_BYTES", 500_000_000))
reply = {}
if request["stage"]["granularity"] == "coarse":  # whoever asked for less has it
    if rows > most_rows:
        reply = {"granularity": "medium", "reason": f"{rows:,} rows are more than {most_rows:,}"}
    elif size > most_bytes:
        reply = {"granularity": "medium", "reason": f"{size:,} bytes are more than {most_bytes:,}"}
json.dump(reply, sys.stdout)
