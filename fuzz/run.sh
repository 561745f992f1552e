#!/bin/bash
# Fuzzes what reads bytes that others chose: libFuzzer with AddressSanitizer over fuzz/targets, each from its corpus.
#
#   fuzz/run.sh build             builds the fuzzer below .build/fuzz
#   fuzz/run.sh run [TARGET…]     FUZZ_SECONDS (60) of CPU time each; what is new and short goes to the corpus
#   fuzz/run.sh shrink [TARGET…]  leaves in each corpus what its coverage needs
#
# An input that crashes a target, takes over 1 s or 512 MB is kept as fuzz/crash-…, and the exit code is 1.
set -eu -o pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
build=.build/fuzz
seconds=${FUZZ_SECONDS:-60}
all="pipelines manifests replies patterns display inotify secrets quantities"

build() {
  # the objects of the product's own modules, counted for coverage and watched by AddressSanitizer
  "$swift" build --scratch-path "$build" -c release --target FuzzTargets \
    -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=fuzzer-no-link,address >&2
  local objects
  objects=$(find -L "$build/release" -name '*.o' \( -path '*/FuzzTargets.build/*' -o -path '*/Core.build/*' \
    -o -path '*/Host.build/*' -o -path '*/CSystem.build/*' -o -path '*/Yams.build/*' -o -path '*/CYaml.build/*' \))
  # shellcheck disable=SC2086
  "${swift}c" -O -parse-as-library -sanitize=fuzzer,address -module-name driver -I "$build/release/Modules" \
    -Xcc -fmodule-map-file="$build/release/CSystem.build/module.modulemap" \
    -Xcc -fmodule-map-file="$build/checkouts/Yams/Sources/CYaml/include/module.modulemap" \
    -o "$build/penstock-fuzz" fuzz/driver.swift $objects -lcrypto
}

# Adds to `spent` the seconds of CPU time that it used.
fuzz() {
  local target=$1 status=0 TIMEFORMAT='%U %S' log=$build/$1
  shift
  { time PENSTOCK_FUZZ=$target ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=64 SWIFT_BACKTRACE=enable=no "$build/penstock-fuzz" \
    -rss_limit_mb=512 -timeout=1 -artifact_prefix="fuzz/crash-$target-" "$@" >"$log.log" 2>&1; } 2>"$log.time" \
    || status=1
  spent=$(awk -v spent="${spent:-0}" '{ print spent + $1 + $2 }' "$log.time")
  return $status
}

# libFuzzer measures by the clock on the wall: on a busy machine it takes for a hang what only had to wait
only_waited() {
  local target=$1 artifact=$2 spent=0
  [[ $artifact == *timeout-* || $artifact == *slow-unit-* ]] || return 1
  fuzz "$target" -timeout=60 "$artifact" && awk -v spent="$spent" 'BEGIN { exit spent >= 1 }' && rm "$artifact"
}

run() {
  local status=0 target
  printf '%-12s %12s %10s %8s %8s\n' target executions 'CPU s' 'RSS MB' corpus
  for target in "$@"; do
    local options=(-max_len=8192 -print_final_stats=1) executions=0 rss=0 spent=0 failed artifact
    mkdir -p "$build/corpus/$target" "fuzz/corpus/$target"
    [ -f "fuzz/$target.dict" ] && options+=("-dict=fuzz/$target.dict")
    while awk -v spent="$spent" -v all="$seconds" 'BEGIN { exit spent >= all - 0.5 }'; do
      failed=0
      fuzz "$target" -max_total_time="$(awk -v spent="$spent" -v all="$seconds" 'BEGIN { print int(all - spent + 1) }')" \
        "${options[@]}" "$build/corpus/$target" "fuzz/corpus/$target" || failed=1
      executions=$((executions + $(awk '/number_of_executed_units/ { n = $2 } END { print n + 0 }' "$build/$target.log")))
      rss=$(awk -v rss="$rss" '/peak_rss_mb/ && $2 > rss { rss = $2 } END { print rss }' "$build/$target.log")
      ((failed)) || continue
      artifact=$(find fuzz -maxdepth 1 -name "crash-$target-*" -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2)
      only_waited "$target" "$artifact" && continue
      tail -40 "$build/$target.log" >&2
      echo "fuzz: \`$target\` does not stand \`$artifact\`" >&2
      status=1
      break
    done
    printf '%-12s %12d %10.0f %8d %8d\n' "$target" "$executions" "$spent" "$rss" "$(find "fuzz/corpus/$target" -type f | wc -l)"
  done
  return $status
}

# the corpus that is kept: small, named by its content
shrink() {
  local target
  for target in "$@"; do
    local small=$build/shrunk/$target
    rm -rf "$small"
    mkdir -p "$small" "$build/corpus/$target"
    fuzz "$target" -set_cover_merge=1 -use_value_profile=0 -max_len=8192 "$small" "fuzz/corpus/$target" "$build/corpus/$target" \
      || { tail -20 "$build/$target.log" >&2; return 1; }
    rm -rf "fuzz/corpus/$target"
    cp -r "$small" "fuzz/corpus/$target"
    echo "$target: $(find "fuzz/corpus/$target" -type f | wc -l) inputs, $(du -sb "fuzz/corpus/$target" | cut -f1) bytes"
  done
}

command=${1:-run}
shift || true
[ $# -gt 0 ] || set -- $all
case $command in
  build) build ;;
  run | shrink) "$command" "$@" ;;
  *) echo "fuzz/run.sh: expected build, run or shrink, got \`$command\`" >&2; exit 2 ;;
esac
