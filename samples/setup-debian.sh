#!/bin/sh
# Installs the Debian packages that Penstock is built and tested with, where they are missing. Never asks.
set -eu
packages="libsqlite3-dev libssl-dev libc6-dev g++ make git python3 python3-venv strace util-linux e2fsprogs"

missing=
for package in $packages; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: this is no Debian: install what corresponds to$missing, then go on" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "setup: missing:$missing; run as root: apt-get install -y$missing" >&2
    exit 1
  fi
  as_root="sudo -n"
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
{ $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends $missing; } >/tmp/penstock-setup.$$ 2>&1 || {
  cat /tmp/penstock-setup.$$ >&2
  exit 1
}
rm -f /tmp/penstock-setup.$$
