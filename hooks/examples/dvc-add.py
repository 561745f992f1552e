#!/usr/bin/env python3
# Keeps the input of every run in DVC: copies it into DVC_REPO (the workspace), `dvc add`s it, commits the pointer to git.
# On: ln -s ../examples/dvc-add.py hooks/before-run.d/40-dvc   with env: [DVC_REPO]
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def run(*words):
    # stdout is for the reply alone
    subprocess.run(words, stdout=sys.stderr, check=True, env={**os.environ, "DVC_NO_ANALYTICS": "1"})


def commit(paths, message):
    """The same content again changes nothing: then there is nothing to commit."""
    run("git", "add", "--", *paths)
    if subprocess.run(["git", "diff", "--cached", "--quiet", "--", *paths], check=False).returncode:
        run("git", "commit", "--quiet", "--message", message, "--", *paths)


request = json.load(sys.stdin)
repository = Path(os.environ.get("DVC_REPO") or request["home"])
# before-run is asked again after a defer: to add the same file twice changes nothing
os.chdir(repository)
with open(".dvc/penstock.lock", "w", encoding="utf-8") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # runs may begin at once
    kept = {}
    for entry in request["inputs"]:
        # of a stranger's name only what no shell, glob or YAML trips over
        name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(entry["path"]).name).lstrip(".-") or "input"
        path = Path("data") / request["run"]["pipeline"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{name}.new")
        shutil.copyfile(entry["path"], temporary)
        # a hard link into the cache may not be written to: the name gets a new file
        temporary.replace(path)
        run("dvc", "add", "--quiet", str(path))
        pointer = Path(f"{path}.dvc")
        if Path(".git").exists():
            commit([str(pointer), str(path.parent / ".gitignore")], f"{path}: input of run {request['run']['number']}")
        found = re.search(r"^- md5: (\S+)$", pointer.read_text(encoding="utf-8"), re.MULTILINE)
        kept[str(pointer)] = found.group(1) if found else None
json.dump({"annotations": {"dvc": kept}}, sys.stdout)
