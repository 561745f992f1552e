#!/bin/sh
# Tells of every run that ended: posts it to NOTIFY_URL, or appends it to NOTIFY_FILE. Never fails the run.
# On: ln -s ../examples/notify.sh hooks/after-run.d/50-notify   with env: and secrets: [NOTIFY_URL]
warn() {
  echo "$1" >&2
  printf '{"warnings":["%s"]}' "$1"
  exit 0
}

# the address may hold a token: it goes by a descriptor, for everyone on the machine can read arguments
post() {
  curl --silent --show-error --fail --max-time 20 --output /dev/null --data-binary @- --config /dev/fd/3 3<<CONFIG
url = "$NOTIFY_URL"
header = "Content-Type: application/json"
header = "Idempotency-Key: $PENSTOCK_IDEMPOTENCY_KEY"
CONFIG
}

if [ -n "$NOTIFY_URL" ]; then
  post || warn "nobody was told of this run: curl ended with $?"
else
  cat >> "${NOTIFY_FILE:-$PENSTOCK_HOME/var/notify.ndjson}" || warn "nobody was told of this run: no file to write to"
fi
