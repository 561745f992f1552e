#!/usr/bin/env python3
# Opens a ticket for a run that went wrong: one POST by curl to TICKET_URL, with TICKET_TOKEN. Never fails the run.
# On: ln -s ../examples/open-ticket.py hooks/after-run.d/70-ticket   with env: and secrets: [TICKET_URL, TICKET_TOKEN]
import json
import os
import subprocess
import sys


def quoted(text):
    """As curl reads it in a config file."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ticket(request):
    run, outcome = request["run"], request["outcome"]
    drop = (request.get("drop") or {}).get("name", "no drop")
    return {
        "title": f"{run['pipeline']} run {run['number']} {outcome['state']}",
        "body": f"{outcome.get('reason', 'no reason given')}\n\ndrop: {drop}\nrun: {run['id']}\n"
        f"penstock -C {request['home']} show {run['number']}",
    }


def main():
    request = json.load(sys.stdin)
    if request["outcome"]["state"] not in ("failed", "quarantined"):
        return {}
    if not os.environ.get("TICKET_URL"):
        return {"warnings": ["no ticket was opened: TICKET_URL is not set"]}
    # by stdin, for everyone on the machine can read arguments; the key makes one ticket of a call that is repeated
    lines = [
        f"url = {quoted(os.environ['TICKET_URL'])}",
        f"header = {quoted('Authorization: Bearer ' + os.environ.get('TICKET_TOKEN', ''))}",
        f"header = {quoted('Idempotency-Key: ' + os.environ['PENSTOCK_IDEMPOTENCY_KEY'])}",
        'header = "Content-Type: application/json"',
        f"data-raw = {quoted(json.dumps(ticket(request)))}",
    ]
    command = ["curl", "--silent", "--show-error", "--fail", "--max-time", "20", "--config", "-"]
    done = subprocess.run(command, input="\n".join(lines).encode(), stdout=subprocess.PIPE, check=False)
    if done.returncode:
        return {"warnings": [f"no ticket was opened: curl ended with {done.returncode}"]}
    try:
        opened = json.loads(done.stdout)
        number = opened.get("number") or opened.get("key") or opened.get("id")
    except (ValueError, AttributeError):
        number = None
    return {"annotations": {"ticket": number}} if number else {}


json.dump(main(), sys.stdout)
