#!/bin/sh
# Puts a run off for a minute (exit 75) while the load is above MAX_LOAD (the number of CPUs if unset).
# On: ln -s ../examples/defer-when-busy.sh hooks/before-train.d/05-busy   with env: [MAX_LOAD]
set -eu
read -r load _ < /proc/loadavg
limit=${MAX_LOAD:-$(nproc)}
if awk -v load="$load" -v limit="$limit" 'BEGIN { exit !(load > limit) }'; then
  echo "the load is $load, above $limit" >&2
  exit 75
fi
