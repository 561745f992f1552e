/// The texts of a new workspace's sample pipeline.
enum SampleFiles {
  static let pipeline = #"""
    # yaml-language-server: $schema=../docs/schema/pipeline.schema.json
    # A small pipeline to begin with: it describes every table dropped into inbox/ and writes a page about it.
    # `penstock check` tells what is wrong with this file; a bad one leaves the last good version in force.
    pipeline: { name: table, version: 1.0.0 }
    trigger:
      inbox: "{name}.csv"               # {name} is kept from the file name; a longer pattern wins over a shorter one
    stages:                             # in order; `needs: [STAGE]` makes a graph of them
      - name: describe
        run: ["./stages/describe.sh", "${input}"]
        timeout: 1m
      - name: report
        run: ["./stages/report.sh", "${input}"]
        timeout: 1m

    """#

  static let describe = #"""
    #!/bin/sh
    # A stage is any program. It gets one JSON object on stdin and gives one on stdout; stderr is its log.
    # Its working directory is its own: what it leaves there and names under "outputs" is kept.
    set -eu
    cat >/dev/null                      # the envelope; this stage needs no more than the path it was given
    table=$1
    [ -s "$table" ] || { echo "the table is empty" >&2; exit 2; }   # 2: no retry will mend it

    echo "reading the table" >&2
    rows=$(($(wc -l <"$table") - 1))
    columns=$(head -n 1 "$table" | tr ',' '\n' | wc -l)
    head -n 1 "$table" | tr -d '\r' | tr ',' '\n' >columns.txt
    [ "$rows" -ge 1 ] || { echo "the table has a heading and no rows" >&2; exit 2; }

    printf '{"status":"ok","outputs":[{"name":"columns","path":"columns.txt"}],'
    printf '"metrics":{"rows":%d,"columns":%d},"data":{"rows":%d},' "$rows" "$columns" "$rows"
    printf '"context":{"rows":%d,"columns":%d}}\n' "$rows" "$columns"

    """#

  static let report = #"""
    #!/bin/sh
    # What an earlier stage put into "context" arrives in the envelope; its outputs arrive as "inputs".
    set -eu
    envelope=$(cat)
    number() { printf '%s' "$envelope" | sed -n "s/.*\"context\":{[^}]*\"$1\":\([0-9]*\).*/\1/p"; }
    {
      echo '<!doctype html><meta charset="utf-8"><title>A table</title>'
      printf '<h1>%s rows, %s columns</h1>\n<ul>\n' "$(number rows)" "$(number columns)"
      sed 's/&/\&amp;/g; s/</\&lt;/g; s/.*/<li>&<\/li>/' "$1"
      echo '</ul>'
    } >report.html
    echo '{"status":"ok","outputs":[{"name":"report","path":"report.html"}]}'

    """#

  static let hooks = #"""
    # Hooks

    A hook is a program of yours that runs around a stage or a run. Put it into `hooks/EVENT.d/` under a name such as
    `10-check` and make it executable; those of one event run in the order of their names. `penstock hooks` lists
    them, and says which will not run and why.

    | event | runs |
    |---|---|
    | `on-arrival` | when a drop was claimed, before its run |
    | `before-run`, `after-run` | around a run |
    | `before-stage`, `after-stage` | around every stage |
    | `before-STAGE`, `after-STAGE` | around the stage of that name |
    | `on-quarantine` | when a drop goes to quarantine |

    It gets one JSON object on stdin (`penstock hooks test before-run` prints one) and may answer with one on stdout:

        {"decision": "allow", "reason": "…", "patch": {"params": {}, "context": {}}, "granularity": "medium"}

    `decision` is `allow` (so is an empty answer), `deny`, `skip` or `defer`; `patch` is a JSON merge patch.
    `granularity` sets how much of the stage is applied: `coarse` (full), `medium` (sampled data), `fine` (simplified
    algorithm), `off` (bypassed). Exit codes: 0 read the answer, 2 deny (stderr says why), 75 later, anything else is
    an error: before-hooks then fail the run, after-hooks warn. `penstock schema hook-reply` has all of it.

    `examples/size-limit.sh` is one to begin with. Try it, then put it in force:

        penstock hooks test before-run ./hooks/examples/size-limit.sh
        mkdir -p hooks/before-run.d && cp hooks/examples/size-limit.sh hooks/before-run.d/10-size-limit

    """#

  static let hook = #"""
    #!/bin/sh
    # Denies drops larger than 100 MB, once it lies in hooks/before-run.d/ (see hooks/README.md).
    set -eu
    bytes=$(sed -n 's/.*"drop":{[^}]*"bytes":\([0-9]*\).*/\1/p')
    if [ "${bytes:-0}" -gt 100000000 ]; then
      echo "the drop has $bytes bytes, more than 100 MB" >&2
      exit 2
    fi

    """#

  static let rivers = """
    river,length_km,mouth
    Nile,6650,Mediterranean Sea
    Amazon,6400,Atlantic Ocean
    Yangtze,6300,East China Sea
    Danube,2850,Black Sea
    Rhine,1233,North Sea

    """
}
