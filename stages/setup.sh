#!/bin/sh
# Makes stages/.venv: the Python that the kit's stages run on. `setup.sh --dev` adds ruff, mypy and pytest,
# `setup.sh --dvc` what a recipe of docs/hooks.md is tested with, `setup.sh --bench` what bench/trials compares with.
# Quick when nothing changed, never asks, needs no root. PYTHON=/path/to/python3 chooses another interpreter.
set -eu
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
venv=$kit/.venv
dev=
dvc=
bench=
case "${1-}" in
  "") ;;
  --dev) dev=1 ;;
  --dvc) dvc=1 ;;
  --bench) bench=1 ;;
  *) echo "usage: setup.sh [--dev | --dvc | --bench]" >&2; exit 2 ;;
esac
say() { printf 'kit: %s\n' "$*"; }
die() { printf 'kit: %s\n' "$*" >&2; exit 1; }

python=${PYTHON-}
if [ -z "$python" ]; then
  if [ -x /usr/bin/python3 ]; then python=/usr/bin/python3; else python=python3; fi
fi
command -v "$python" >/dev/null 2>&1 || die "no Python found; install Python 3.11 or later, or set PYTHON=/path/to/python3"
version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') || die "$python does not run"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "$python is Python $version; the kit needs 3.11 or later (set PYTHON=/path/to/python3 to choose another)"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  die "$python cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"

digest() { { printf '%s\n%s\n' "$version" "$venv"; cat "$@"; } | sha256sum | cut -d' ' -f1; }
core=$(digest "$kit/requirements.txt" "$kit/setup.sh")
full=$(digest "$kit/requirements.txt" "$kit/requirements-dev.txt" "$kit/setup.sh")
stamped() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/$1" 2>/dev/null)" = "$2" ]; }

# A pip setting of the user may name a place of their own; what is installed is pinned by digest either way.
install() {
  requirements=$1
  shift
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --only-binary :all: \
    --require-hashes --no-compile "$@" -r "$requirements" || die "pip could not install $(basename "$requirements"); the lines above say why"
}

if stamped .core "$core"; then
  say "up to date (Python $version)"
else
  say "making .venv with Python $version"
  rm -rf "$venv"
  "$python" -m venv "$venv" || die "could not make $venv"
  say "installing the pinned packages (some 500 MB, about half a minute)"
  install "$kit/requirements.txt"
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  # relative to site-packages, so that the checkout can be moved: lib/pythonX.Y/site-packages -> stages/src
  printf '../../../../src\n' > "$site/penstock_stages.pth"
  say "compiling to bytecode"
  "$venv/bin/python" -m compileall -q -j 0 "$site" >/dev/null 2>&1 || true
  "$venv/bin/python" -c 'import penstock_stages, matplotlib.font_manager' 2>/dev/null || die "penstock_stages does not import"
  printf '%s\n' "$core" > "$venv/.core"
  say "ready"
fi
"$venv/bin/python" -m compileall -q "$kit/src" >/dev/null 2>&1 || true

if [ -n "$dev" ] && ! stamped .dev "$full"; then
  say "installing ruff, mypy and pytest"
  install "$kit/requirements-dev.txt"
  printf '%s\n' "$full" > "$venv/.dev"
fi

recipe=$(digest "$kit/requirements.txt" "$kit/requirements-dvc.txt" "$kit/setup.sh")
if [ -n "$dvc" ] && ! stamped .dvc "$recipe"; then
  say "installing dvc"
  # without hydra, which dvc wants for experiments only and which has no wheel
  install "$kit/requirements-dvc.txt" --no-deps
  printf '%s\n' "$recipe" > "$venv/.dvc"
fi

rivals=$(digest "$kit/requirements.txt" "$kit/requirements-bench.txt" "$kit/setup.sh")
if [ -n "$bench" ] && ! stamped .bench "$rivals"; then
  say "installing what bench/trials compares with"
  install "$kit/requirements-bench.txt"
  printf '%s\n' "$rivals" > "$venv/.bench"
fi
