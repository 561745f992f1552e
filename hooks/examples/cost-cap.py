#!/usr/bin/env python3
# Denies the next stage of a run that has used MAX_CPU_SECONDS (3600) of processor time, failed tries and hooks included.
# On: ln -s ../examples/cost-cap.py hooks/before-stage.d/20-cost   with env: [MAX_CPU_SECONDS]
import json
import os
import subprocess
import sys

request = json.load(sys.stdin)
# what is recorded of the run so far; PENSTOCK_HOME says of which workspace
told = subprocess.run(["penstock", "show", request["run"]["id"], "--json"], stdout=subprocess.PIPE, check=True)
run = json.loads(told.stdout)
calls = list(run["hooks"])
for stage in run["stages"]:
    calls += stage["attempts"] + stage["hooks"]
spent = sum(call["cpu_s"] or 0 for call in calls)
most = float(os.environ.get("MAX_CPU_SECONDS", 3600))
reply = {"annotations": {"cpu_s_so_far": round(spent, 3)}}
if spent > most:
    reply["decision"] = "deny"
    reply["reason"] = (
        f"the run has used {spent:,.1f} s of processor time, and {most:,.1f} are allowed (MAX_CPU_SECONDS)"
    )
json.dump(reply, sys.stdout)
