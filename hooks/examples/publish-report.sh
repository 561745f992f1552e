#!/bin/sh
# Copies the HTML report of a run into PUBLISH_DIR, whole or not at all.
# On: ln -s ../examples/publish-report.sh hooks/after-report.d/50-publish   with env: [PUBLISH_DIR]
set -eu
if [ -z "${PUBLISH_DIR:-}" ]; then
  echo "PUBLISH_DIR is not set: export it for the agent, and pass it on with env: [PUBLISH_DIR]" >&2
  exit 1
fi
name=$(printf '%s' "$PENSTOCK_PIPELINE" | tr / .)

# the working directory of an after-hook is what the stage left; a stage that failed left nothing
for page in ./*.html; do
  [ -f "$page" ] || { echo "no report to publish" >&2; exit 0; }
  for target in "$name-$PENSTOCK_RUN.html" "$name-latest.html"; do
    temporary=$(mktemp "$PUBLISH_DIR/.publish.XXXXXX")
    trap 'rm -f "$temporary"' EXIT
    cat "$page" > "$temporary"
    chmod 644 "$temporary"
    mv -f "$temporary" "$PUBLISH_DIR/$target"
  done
  exit 0
done
