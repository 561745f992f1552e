#!/bin/sh
# `make bench`: every table, side by side in one run. Ratios mean something on a noisy machine, seconds do not.
set -eu
cd "$(dirname "$0")/.."
python3 bench/burst.py "$1"
echo
stages/.venv/bin/python bench/stages/train_ratio.py
