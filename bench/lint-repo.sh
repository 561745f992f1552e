#!/bin/sh
# What no formatter sees: leftovers, machine paths, file modes.
set -eu
cd "$(dirname "$0")/.."
status=0
complain() { echo "lint: $1" >&2; status=1; }

if git grep -nE '\b(TODO|FIXME|XXX)\b' -- '*.swift' '*.py' '*.c' '*.h' '*.sh' ':!bench/lint-repo.sh'; then complain "left undone"; fi
if git grep -nE 'https?://[^ ]*/(simple|packages)/' -- ':!LICENSE' ':!bench/lint-repo.sh'; then complain "a package registry's address"; fi
if git grep -nE '(/root/|/home/[a-z]+/)' -- '*.swift' '*.py' '*.c' '*.h' '*.sh' '*.yaml' '*.md' Makefile ':!bench/lint-repo.sh' ':!Tests'; then complain "a path of some machine"; fi
for file in $(git ls-files '*.sh' .ci/run); do
  [ -x "$file" ] || complain "$file is not executable"
done
exit $status
