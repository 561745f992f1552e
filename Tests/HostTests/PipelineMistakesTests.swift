import Core
import Foundation
import Host
import Testing

/// A pipeline with something wrong, and every word that is said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
  let name: String
  let yaml: String
  let said: String

  var testDescription: String { name }

  init(_ name: String, _ yaml: String, _ said: String) {
    self.name = name
    self.yaml = yaml
    self.said = said
  }
}

@Suite struct PipelineMistakesTests {
  static let good = "pipeline: { name: x }\nstages: [ { name: a, run: [a] } ]\n"

  static let head: [Mistake] = [
    Mistake(
      "a command line", "pipeline: { name: x }\nstages: [ { name: a, run: \"wc -l ${input}\" } ]",
      """
      x:2:27: error: `run`: expected a list, got `wc -l ${input}`
        write `[wc, -l, "${input}"]`
      """),
    Mistake(
      "a line of shell", "pipeline: { name: x }\nstages: [ { name: a, run: \"wc -l | cat\" } ]",
      """
      x:2:27: error: `run`: expected a list, got `wc -l | cat`
        no shell reads it: put it into a script of its own, or write `[sh, -c, '…']`
      """),
    Mistake(
      "names of strangers in a program's text",
      """
      pipeline: { name: x }
      trigger: { inbox: "{who}.csv" }
      stages:
        - { name: a, run: [sh, -c, "wc -l ${input} $$HOME ${out}"] }
        - { name: b, run: [/usr/bin/env, python3.11, -c, "print('${file.who}')"] }
        - { name: c, run: [bash, -o, pipefail, -euc, "echo ${params.x}"], params: { x: 1 } }
        - { name: d, run: [sh, -c, 'wc -l "$1"', sh, "${input}"] }
        - { name: e, run: [sh, ./c, -c, "${input}"] }
      hooks: { before-a: [ { run: [sh, -c, "echo ${input}"] } ] }
      """,
      """
      x:4:30: warning: `${input}` becomes part of a program's text: who names a drop could write commands there
        write `"$1"` there, and after the code `, sh, "${input}"`
      x:5:52: warning: `${file.who}` becomes part of a program's text: who names a drop could write commands there
        write `sys.argv[1]` there, and after the code `, "${file.who}"`
      x:6:48: warning: `${params.x}` becomes part of a program's text: who names a drop could write commands there
        write `"$1"` there, and after the code `, bash, "${params.x}"`
      x:9:38: warning: `${input}` becomes part of a program's text: who names a drop could write commands there
        write `"$1"` there, and after the code `, sh, "${input}"`
      """),
    Mistake("an empty file", "", "x:1:1: error: a pipeline file: expected a map, got nothing"),
    Mistake(
      "a list", "- a", "x:1:1: error: a pipeline file: expected a map, got a list"),
    Mistake(
      "nothing in it", "{}",
      """
      x:1:1: error: missing key `pipeline` in a pipeline file
      x:1:1: error: missing key `stages` in a pipeline file
        list the programs, or build on another pipeline with `extends`
      """),
    Mistake(
      "a name that is none", "pipeline: { name: a b }\nstages: [ { name: a/b, run: [a] } ]",
      """
      x:1:19: error: `name`: `a b` is no name
        a name has letters, digits, `_` and `-`, with `/` between parts
      x:2:19: error: `name`: `a/b` is no name
        a name has letters, digits, `_` and `-`
      """),
    Mistake(
      "pipeline is text", "pipeline: x\nstages: [ { name: a, run: [a] } ]",
      "x:1:11: error: `pipeline`: expected a map, got `x`"),
    Mistake(
      "an unknown key at the top", good + "stagess: []",
      """
      x:3:1: error: unknown key `stagess` in a pipeline file
        did you mean `stages`?
      """),
    Mistake(
      "the declarative form", "pipeline: x\nmodel: { type: ridge }\nevaluation: {}",
      """
      x:2:1: error: `model` belongs to the declarative experiment form, which comes with a later version
        write `pipeline: { name: …, extends: base/tabular }` and set `params` of its stages
      """),
    Mistake(
      "trials that are none",
      """
      pipeline: { name: x }
      stages: [ { name: a, run: [b], granularity: auto }, { name: c, run: [d] } ]
      trials:
        window: "25:00-4"
        budget: 40
        stage: train
        margin: 0
        confidence: 30%
        arms:
          - { name: n }
          - { name: n, levels: { c: fine }, params: { e: { f: 1 } } }
      """,
      """
      x:4:11: error: `window`: expected two times of the day, got `25:00-4`
        such as `01:00-04:00`
      x:5:11: error: `budget`: `40` has no unit
        write `40s` or `40m`
      x:6:10: error: no stage is called `train`
        stages: `a`, `c`
      x:7:11: error: `margin`: expected more than 0, got `0`
        no sample shows that two settings are exactly equal; `0.01` allows one point of a hundred
      x:8:15: error: `confidence`: expected at least `50%` and less than `100%`, got `30%`
        `95%` is wrong in one of twenty verdicts at most
      x:10:7: error: `arms`: `n` changes nothing
        give it `levels` or `params`
      x:11:15: error: `arms`: two are called `n`
      x:11:28: error: `arms`: no stage that is `auto` is called `c`
        stages that are `auto`: `a`
      x:11:49: error: `arms`: no stage is called `e`
        stages: `a`, `c`
      """),
    Mistake(
      "trials that allow anything",
      """
      pipeline: { name: x }
      stages: [ { name: a, run: [b], granularity: auto } ]
      trials: { margin: 5, arms: [ { name: n, levels: { b: fine } } ] }
      """,
      """
      x:3:19: error: `margin`: `5` allows any loss, for `accuracy` is at most 1
        write `5%` for a part of what full runs reach
      x:3:51: error: `arms`: no stage that is `auto` is called `b`
        stages that are `auto`: `a`
      """),
    Mistake(
      "trials of no metric",
      """
      pipeline: { name: x }
      stages: [ { name: a, run: [b], granularity: auto } ]
      trials: { metric: "", margin: 5 }
      """,
      """
      x:3:19: error: `metric`: expected the name of a metric
        leave it out for `accuracy`
      """),
    Mistake(
      "trials of nothing", good + "trials: { margin: 1% }",
      """
      x:3:9: error: `trials` compare settings of stages that are `auto`, and there is none
        add `granularity: auto` to a stage
      """),
    Mistake(
      "a trigger that is none", good + "trigger: { inbox: a/b, priority: high, on_config: yes }",
      """
      x:3:19: error: `inbox`: `/` cannot be part of a file name
        write `b`: drops come from `inbox/` alone, which may be a link to another directory
      x:3:34: error: `priority`: expected a whole number from -1000 to 1000, got `high`
      x:3:51: error: `on_config`: expected `true` or `false`, got `yes`
      """),
    Mistake(
      "data that is none", good + "data: { sources: [ { type: xlsx }, { type: csv, path: [a] } ] }",
      """
      x:3:20: error: missing key `path` in a data source
      x:3:28: error: `type`: expected one of `csv`, `ndjson`, `parquet`, got `xlsx`
      x:3:55: error: `path`: expected text, got a list
      """),
    Mistake(
      "env that is none", good + "env: [1A, OK, B-C]",
      """
      x:3:7: error: an element of `env`: `1A` is no name
        a name has letters, digits and `_`, no digit first
      x:3:15: error: an element of `env`: `B-C` is no name
        a name has letters, digits and `_`, no digit first
      """),
  ]

  static let stages: [Mistake] = [
    Mistake(
      "no stages", "pipeline: { name: x }\nstages: []", "x:2:9: error: `stages` is empty"),
    Mistake(
      "stages without names", "pipeline: { name: x }\nstages: [ { run: [a] } ]",
      "x:2:11: error: missing key `name` in a stage"),
    Mistake(
      "reserved names",
      "pipeline: { name: x }\nstages: [ { name: run, run: [a] }, { name: stage, run: [a] } ]",
      """
      x:2:19: error: a stage may not be called `run`
        its hooks could not be told from those of every run
      x:2:44: error: a stage may not be called `stage`
        its hooks could not be told from those of every stage
      """),
    Mistake(
      "twins", "pipeline: { name: x }\nstages:\n  - { name: a, run: [a] }\n  - { name: a, run: [b] }",
      """
      x:4:13: error: two stages are called `a`
        the first is in line 3, column 13
      """),
    Mistake(
      "neither and both",
      "pipeline: { name: x }\nstages:\n  - { name: a }\n  - { name: b, run: [b], uses: tabular/train }",
      """
      x:3:13: error: stage `a` has neither `uses` nor `run`
        `uses` names a registered stage, `run` a program of your own
      x:4:26: error: stage `b` has both `uses` and `run`
        `uses` names a registered stage, `run` a program of your own
      """),
    Mistake(
      "a command line", "pipeline: { name: x }\nstages: [ { name: a, run: ./go.sh } ]",
      """
      x:2:27: error: `run`: expected a list, got `./go.sh`
        write `[./go.sh]`
      """),
    Mistake(
      "unregistered",
      "pipeline: { name: x }\nstages: [ { name: a, uses: tabular/trian }, { name: b, uses: zip } ]",
      """
      x:2:28: error: no stage `tabular/trian` is registered
        did you mean `tabular/train`?
      x:2:62: error: no stage `zip` is registered
        `penstock stages` lists those there are
      """),
    Mistake(
      "unsupported levels",
      "pipeline: { name: x }\nstages: [ { name: a, uses: tabular/train, granularity: off, fine: {}, medium: { sample: 20 } } ]",
      """
      x:2:56: error: `tabular/train` does not support `off` (bypassed)
        it supports `coarse` (full), `medium` (sampled data), `fine` (simplified algorithm)
      x:2:89: error: `sample`: `20` is not between 0 and 1
        write `20%`
      """),
    Mistake(
      "a level that is none", "pipeline: { name: x }\nstages: [ { name: a, run: [a], granularity: fien } ]",
      """
      x:2:45: error: `granularity`: expected one of `auto`, `coarse`, `medium`, `fine`, `off`, got `fien`
        did you mean `fine`?
      """),
    Mistake(
      "parameters",
      """
      pipeline: { name: x }
      stages:
        - name: a
          uses: tabular/train
          params: { horizn: 1, horizon: 0, model: rigde }
          fine: { params: { horizon: "3" } }
          fallback: { params: { model: 5 } }
        - { name: b, uses: tabular/train, params: { horizon: 1.5 } }
        - { name: c, uses: tabular/train, params: { horizon: 2.0 } }
      """,
      """
      x:5:15: error: `tabular/train` has no parameter `horizn`
        did you mean `horizon`?
      x:5:35: error: `horizon`: expected at least 1, got `0`
      x:5:45: error: `model`: expected one of `boosted`, `ridge`, got `rigde`
        did you mean `ridge`?
      x:6:32: error: `horizon`: expected a whole number, got the text "3"
      x:7:34: error: `model`: expected text, got `5`
        quote it where text is meant: `"5"`
      x:8:56: error: `horizon`: expected a whole number, got `1.5`
      """),
    Mistake(
      "needs",
      "pipeline: { name: x }\nstages:\n  - { name: a, run: [a], needs: [a] }\n  - { name: b, run: [b], needs: [c] }\n  - { name: c, run: [c], needs: [d] }\n  - { name: d, run: [d], needs: [b, zz] }\n  - { name: e, run: [e], needs: a }",
      """
      x:3:34: error: stage `a` needs itself
      x:4:34: error: stages need each other in a circle: `b` needs `c` needs `d` needs `b`
      x:6:37: error: stage `d` needs `zz`, which is no stage
        stages: `a`, `b`, `c`, `e`
      x:7:33: error: `needs`: expected a list, got `a`
        write `[a]`
      """),
    Mistake(
      "needs of a stage that has another mistake",
      "pipeline: { name: x }\nstages:\n  - { name: first, run: [a] }\n  - { name: second, uses: nix/da, needs: [frist] }",
      """
      x:4:27: error: no stage `nix/da` is registered
        `penstock stages` lists those there are
      x:4:43: error: stage `second` needs `frist`, which is no stage
        did you mean `first`?
      """),
    Mistake(
      "removed and needed",
      "pipeline: { name: x }\nstages:\n  - { name: a, run: [a], enabled: false }\n  - { name: b, run: [b], needs: [a] }",
      "x:4:34: error: stage `b` needs `a`, which is removed"),
    Mistake(
      "everything removed", "pipeline: { name: x }\nstages: [ { name: a, run: [a], enabled: false } ]",
      "x:2:9: error: every stage is removed"),
    Mistake(
      "times and tries",
      "pipeline: { name: x }\nstages:\n  - name: a\n    run: [a]\n    timeout: 0s\n    retry: { attempts: 0, backoff: 10, factor: 0.5, jitter: 120%, max: 3 }\n    on_error: retry\n    limits: { memory: 2, open_files: few }",
      """
      x:5:14: error: `timeout`: expected at least `1ms`, got `0s`
      x:6:24: error: `attempts`: expected a whole number from 1 to 100, got `0`
      x:6:36: error: `backoff`: `10` has no unit
        write `10s` or `10m`
      x:6:48: error: `factor`: expected a number from 1 to 100, got `0.5`
      x:6:61: error: `jitter`: expected at most 100%, got `120%`
      x:6:67: error: unknown key `max` in `retry`
        keys: `attempts`, `backoff`, `factor`, `jitter`, `on`
      x:7:15: error: `on_error`: expected one of `fail`, `continue`, got `retry`
      x:8:23: error: `memory`: `2` has no unit
        write `2MiB` or `2GB`
      x:8:38: error: `open_files`: expected a whole number from 8 to 1048576, got `few`
      """),
    Mistake(
      "each without items",
      "pipeline: { name: x }\nstages: [ { name: a, run: [a], each: {} }, { name: b, run: [b] }, { name: c, run: [c], each: {} } ]",
      """
      x:2:38: error: `each` of stage `a` would take the items of an `each` stage that it needs, and it needs none
        name the output whose lines are the items: `each: { from: … }`; that of the drop is `input`
      x:2:94: error: `each` of stage `c` would take the items of an `each` stage that it needs, and it needs none
        name the output whose lines are the items: `each: { from: … }`; that of the drop is `input`
      """),
    Mistake(
      "each from an output nobody leaves",
      "pipeline: { name: x }\nstages: [ { name: a, run: [a], each: { from: input } }, { name: b, run: [b], each: { from: item } } ]",
      """
      x:2:84: error: stage `b`: no stage it needs leaves an output `item`
        did you mean `items`?
      """),
    Mistake(
      "each",
      "pipeline: { name: x }\nstages: [ { name: a, run: [a], each: { rate: 5, min_success: 120%, batch: 0, from: q } } ]",
      """
      x:2:46: error: `rate`: `5` has no unit
        write `5/s`
      x:2:62: error: `min_success`: expected at most 100%, got `120%`
      x:2:75: error: `batch`: expected a whole number from 1 to 100000, got `0`
      """),
    Mistake(
      "hooks",
      good
        + "hooks:\n  before-aa: [ { run: [h] } ]\n  after-run: [ { timeout: 5 , on_eror: warn } ]\n  before-a: { run: [h] }",
      """
      x:4:3: error: no event is called `before-aa`
        did you mean `before-a`?
      x:5:16: error: missing key `run` in a hook
      x:5:27: error: `timeout`: `5` has no unit
        write `5s` or `5m`
      x:5:31: error: unknown key `on_eror` in a hook
        did you mean `on_error`?
      x:6:13: error: `before-a`: expected a list, got a map
      """),
  ]

  static let references: [Mistake] = [
    Mistake(
      "unknown variables",
      "vars: { horizon: 1 }\n" + good
        + "data: { sources: [ { type: csv, path: \"${vars.horizn}/${vars.y}\" } ] }",
      """
      x:4:39: error: unknown variable `${vars.horizn}`
        did you mean `horizon`?
      x:4:39: error: unknown variable `${vars.y}`
        `vars` has: `horizon`
      """),
    Mistake(
      "variables in a circle", "vars: { a: \"${vars.b}\", b: \"x${vars.a}\" }\n" + good,
      "x:1:12: error: `vars` go round in a circle: `b` → `a` → `b`"),
    Mistake(
      "a list in the middle of text",
      "vars: { a: [1] }\n" + good + "data: { sources: [ { type: csv, path: \"x/${vars.a}\" } ] }",
      "x:4:39: error: `${vars.a}` is a list; it can only stand alone"),
    Mistake(
      "an unset variable",
      good
        + "data: { sources: [ { type: csv, path: \"${DATA_ROOT}/x\" }, { type: csv, path: \"${inptu}\" } ] }",
      """
      x:3:39: error: `${DATA_ROOT}` is not set in the environment
        set it, or write `${DATA_ROOT:-default}`
      x:3:78: error: `${inptu}` is not set in the environment
        did you mean `${input}`?
      """),
    Mistake(
      "secrets", good + "data: { sources: [ { type: csv, path: \"${DB_PASSWORD:-x}\" } ] }",
      """
      x:3:39: error: `DB_PASSWORD` is a secret, and the text of a pipeline is kept and shown
        pass it to the programs with `env: [DB_PASSWORD]`
      """),
    Mistake(
      "captures",
      "trigger: { inbox: \"fx-{pair}.csv\" }\n" + good
        + "data: { sources: [ { type: csv, path: \"${file.par}\" }, { type: csv, path: \"${file.day}\" } ] }",
      """
      x:4:39: error: `${file.par}`: `trigger.inbox` captures no `par`
        did you mean `pair`?
      x:4:75: error: `${file.day}`: `trigger.inbox` captures no `day`
        it captures: `pair`
      """),
    Mistake(
      "a capture without an inbox", good + "data: { sources: [ { type: csv, path: \"${file.day}\" } ] }",
      """
      x:3:39: error: `${file.day}`: `trigger.inbox` captures no `day`
        write `trigger: { inbox: "…{day}…" }`
      """),
    Mistake(
      "in the wrong place",
      "trigger: { inbox: \"fx-{pair}.csv\" }\npipeline: { name: x }\nstages:\n  - { name: \"${file.pair}\", run: [\"${kit}/a\", \"${params.a}\", \"${foo.x}\", \"${\"], params: { p: \"${input}\" } }",
      """
      x:4:13: error: `${file.pair}` is known only when a run begins
        it can stand in `params`, `run` and `data`
      x:4:35: error: `${kit}` is known only in the manifest of a registered stage
      x:4:47: error: the stage has no parameter `a`
        `params` has: `p`
      x:4:62: error: nothing is known as `${foo.x}`
        what stands before the dot: `vars`, `file`, `params`
      x:4:74: error: `${` is never closed
        write `$${` for a plain `${`
      x:4:94: error: `${input}` is known only when the program starts
        it can stand in `run`
      """),
  ]

  @Test(arguments: head + stages + references + rules)
  func `every mistake is told, at its place, with what to do`(mistake: Mistake) throws {
    let workspace = try ConfiguredWorkspace()
    try workspace.write("stages/tabular/train.yaml", PipelineFolderTests.train)
    try workspace.write("pipelines/x.yaml", mistake.yaml)
    let loaded = workspace.pipelines()
    let said = loaded.flatMap(\.diagnostics).map { diagnostic in
      var diagnostic = diagnostic
      diagnostic.source = nil
      diagnostic.mark.file = "x"
      return diagnostic.rendered
    }
    #expect(said.joined(separator: "\n") == mistake.said)
    #expect(loaded.allSatisfy { ($0.version == nil) == !$0.isValid })
  }
}
