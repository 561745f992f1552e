#!/bin/sh
# `make bench`: every table, side by side in one run. Ratios mean something on a noisy machine, seconds do not.
# The first argument is the program; what follows it goes to bench/intake: `--whole` for all sizes, more rounds, peers.
set -eu
cd "$(dirname "$0")/.."
program=$1
shift
python3 bench/burst.py "$program"
echo
PENSTOCK_BENCH_ALL=1 python3 bench/intake/run.py "$program" "$@"
echo
python3 bench/engine/chain.py "$program"
echo
python3 bench/engine/fanout.py "$program"
echo
python3 bench/engine/items100k.py "$program"
echo
python3 bench/engine/warm.py "$program" --kit stages
echo
stages/.venv/bin/python bench/stages/train_ratio.py
echo
"${SWIFT:-swift}" run -q -c release trial-worlds all 100
