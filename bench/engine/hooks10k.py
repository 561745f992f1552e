"""Ten thousand hooks that hang, ignore TERM, stop themselves, or leave daemons: what is left of them?

A real agent works runs with ten such hooks each. Meanwhile /proc is looked at once a second, by the marks that a program's
environment hands on to all its descendants; the agent is never asked. It ends with 1 where one of these does not hold:
every call is recorded, no process of a hook is there 5 s after its limit, no zombie stays, and the agent and its spawner
have as many descriptors as before.

    python3 bench/engine/hooks10k.py .build/release/penstock [COUNT]
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

HOOKS_OF_A_RUN = 10
# the agent keeps the logs of its last 32 runs open
WARM = 40
LIMIT, GRACE, LATE = 0.3, 0.2, 5.0
TICK = os.sysconf("SC_CLK_TCK")

KINDS = {
    "hang": "sleep 1000",
    "deaf": "trap '' TERM HUP INT QUIT; while :; do sleep 1000; done",
    "daemon": "setsid sh -c 'trap \"\" TERM HUP; sleep 1000' & (setsid sleep 1000 &); exit 0",
    "stop": "setsid sleep 1000 & kill -STOP $$",
    "crowd": "for n in 1 2 3; do sh -m -c 'sleep 1000 & wait' 2>/dev/null & done; setsid setsid sleep 1000 & wait",
}


def workspace(home: pathlib.Path) -> None:
    for name in ("etc", "inbox", "pipelines", "stages", "hooks/after-run.d"):
        (home / name).mkdir(parents=True)
    (home / "etc/penstock.yaml").write_text(
        f"settle: 50ms\nsettle_moved: 10ms\nreserve: 1MiB\nconcurrency: 64\n"
        f"hook_timeout: {int(LIMIT * 1000)}ms\ngrace: {int(GRACE * 1000)}ms\n"
    )
    (home / "pipelines/p.yaml").write_text(
        'pipeline: { name: p }\ntrigger: { inbox: "*.csv" }\nstages: [ { name: only, run: ["/bin/true"] } ]\n'
    )
    for n in range(HOOKS_OF_A_RUN):
        kind = list(KINDS)[n % len(KINDS)]
        path = home / f"hooks/after-run.d/{n:02}-{kind}"
        path.write_text(f"#!/bin/sh\n{KINDS[kind]}\n")
        path.chmod(0o755)


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def status(pid: int) -> tuple[str, int, float] | None:
    """State, parent, and age in seconds; proc(5)."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        uptime = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError):
        return None
    return fields[0], int(fields[1]), uptime - int(fields[19]) / TICK


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class Watch:
    """What was ever seen that should not be."""

    def __init__(self, home: pathlib.Path, agent: int) -> None:
        self.mark = f"PENSTOCK_HOME={home}".encode() + b"\0"
        self.agent = agent
        self.zombies: set[int] = set()
        self.stayed: set[int] = set()
        self.late: set[int] = set()
        self.most = 0

    def family(self) -> set[int]:
        """The agent, its spawner and the keepers."""
        found = {self.agent}
        pids = {pid: status(pid) for pid in processes()}
        for _ in range(3):
            found |= {pid for pid, known in pids.items() if known and known[1] in found and self.is_ours(pid)}
        return found

    def is_ours(self, pid: int) -> bool:
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text().startswith("penstock")
        except OSError:
            return False

    def hooks(self) -> list[int]:
        found = []
        for pid in processes():
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    told = file.read()
            except OSError:
                continue
            if self.mark in told + b"\0" and b"PENSTOCK_EVENT=after-run" in told:
                found.append(pid)
        return found

    def look(self) -> None:
        alive = self.hooks()
        self.most = max(self.most, len(alive))
        for pid in alive:
            known = status(pid)
            # all of them begin with their hook, so an older one is past its limit by so much
            if known and known[2] > LIMIT + GRACE + LATE and known[0] != "Z":
                self.late.add(pid)
        family = self.family()
        zombies = {pid for pid in processes() if (known := status(pid)) and known[0] == "Z" and known[1] in family}
        # one that waits for its parent's next turn is no flood
        self.stayed |= zombies & self.zombies
        self.zombies = zombies


def recorded(home: pathlib.Path) -> dict[str, int]:
    try:
        base = sqlite3.connect(f"file:{home}/var/state.db?mode=ro", uri=True, timeout=10)
    except sqlite3.Error:
        return {}
    try:
        calls, timed, ended = base.execute(
            "select count(*), coalesce(sum(timed_out), 0), (select count(*) from run where state = 'done') from hook_call"
        ).fetchone()
        return {"calls": calls, "timed_out": timed, "done": ended}
    except sqlite3.Error:
        return {}
    finally:
        base.close()


def wait_idle(watch: Watch) -> int:
    """The spawner's pid, when its keepers have gone."""
    for _ in range(600):
        children = [pid for pid in processes() if (known := status(pid)) and known[1] == watch.agent]
        if len(children) == 1 and not [p for p in processes() if (known := status(p)) and known[1] == children[0]]:
            return children[0]
        time.sleep(0.1)
    raise SystemExit("hooks10k: the keepers of the spawner do not go")


def drop(home: pathlib.Path, numbers: range) -> None:
    for n in numbers:
        new = home / f"inbox/.{n}.new"
        new.write_text(f"a,b\n{n},2\n")
        new.rename(home / f"inbox/{n}.csv")


def main() -> int:
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/release/penstock")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    runs = count // HOOKS_OF_A_RUN
    home = pathlib.Path(tempfile.mkdtemp(prefix="penstock-hooks10k-"))
    workspace(home)
    with open(home / "said", "wb") as said:
        agent = subprocess.Popen(
            [program, "up", "-C", str(home)],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        )
    try:
        watch = Watch(home, agent.pid)
        drop(home, range(WARM))
        while recorded(home).get("calls", 0) < WARM * HOOKS_OF_A_RUN:
            time.sleep(0.1)
        spawner = wait_idle(watch)
        early = recorded(home)["timed_out"]
        before = descriptors(agent.pid), descriptors(spawner)
        began = time.monotonic()
        drop(home, range(WARM, runs + WARM))
        wanted = (runs + WARM) * HOOKS_OF_A_RUN
        while (found := recorded(home)).get("calls", 0) < wanted:
            watch.look()
            if agent.poll() is not None or time.monotonic() - began > 3000:
                print((home / "said").read_text()[-2000:], file=sys.stderr)
                raise SystemExit("hooks10k: the agent has ended, or it takes too long")
            time.sleep(1)
        took = time.monotonic() - began
        time.sleep(LATE)
        left = watch.hooks()
        wait_idle(watch)
        watch.look()
        after = descriptors(agent.pid), descriptors(spawner)
        agent.send_signal(signal.SIGTERM)
        code = agent.wait(60)
    finally:
        agent.kill()
        shutil.rmtree(home, ignore_errors=True)
    figures = {
        "hooks": runs * HOOKS_OF_A_RUN,
        "recorded": found["calls"] - WARM * HOOKS_OF_A_RUN,
        "timed_out": found["timed_out"] - early,
        "seconds": round(took, 1),
        "most_processes_at_once": watch.most,
        "survivors_5s_after_limit": len(watch.late) + len(left),
        "zombies_that_stayed": len(watch.stayed),
        "agent_descriptors": [before[0], after[0]],
        "spawner_descriptors": [before[1], after[1]],
        "agent_ended_with": code,
    }
    print(
        "| hooks | recorded | over their limit | seconds | survivors 5 s after the limit | zombies | agent fds | spawner fds |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {figures['hooks']} | {figures['recorded']} | {figures['timed_out']} | {figures['seconds']} "
        f"| {figures['survivors_5s_after_limit']} | {figures['zombies_that_stayed']} "
        f"| {before[0]} → {after[0]} | {before[1]} → {after[1]} |"
    )
    print(json.dumps(figures), file=sys.stderr)
    good = (
        figures["recorded"] == figures["hooks"]
        and figures["survivors_5s_after_limit"] == 0
        and figures["zombies_that_stayed"] == 0
        # the Swift runtime opens one or two of its own when it likes
        and after[0] <= before[0] + 2
        and after[1] <= before[1]
        and code == 0
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
