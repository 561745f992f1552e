/// What programs get on stdin and give on stdout.
package enum EnvelopeShapes {
  private static let any = ClosedRange(uncheckedBounds: (-Double.infinity, Double.infinity))
  private static let count = Shape.whole(0 ... .max)

  private static let id = Field("id", count, "Of a request to a worker, and of its reply.")

  private static let run = Record(
    "`run`",
    [
      Field("id", .text, required: true, "A UUIDv7."),
      Field("number", count, required: true, "The short number people type."),
      Field("pipeline", .text, required: true, "Its name."),
      Field("version", .orNull(.text), "The digest of the pipeline version."),
      Field("slot", .orNull(.text), "The moment of the schedule, RFC 3339."),
      Field("trial", .orNull(.record(trial)), "The trial it is evaluated for, of stages that say `splits: true`."),
    ], isOpen: true)

  private static let trial = Record(
    "`trial`",
    [
      Field("id", .text, required: true, "A UUIDv7."),
      Field("arm", .text, required: true, "The levels that are tried."),
      Field("block", count, required: true, "The number of the block; 0 while arms are screened."),
      Field("fold", count, required: true, "The part of the rows that is held out, from 0."),
      Field("folds", .whole(1...1000), required: true, "How many parts there are."),
      Field("seed", .whole(.min ... .max), required: true, "From this the rows are dealt to the parts."),
    ], isOpen: true)

  private static let drop = Record(
    "`drop`",
    [
      Field("name", .text, required: true, "The file name, escaped where it is not UTF-8."),
      Field("name_b64", .text, "The bytes of a name that is not UTF-8."),
      Field("sha256", .orNull(.text), "Lower-case hex."),
      Field("bytes", count, required: true, "Size."),
      Field("captures", .map(.text), "Parts of the name."),
    ], isOpen: true)

  private static let stage = Record(
    "`stage`",
    [
      Field("name", .text, required: true, "Its name in the pipeline."),
      Field("attempt", .whole(1 ... .max), required: true, "The first is 1."),
      Field("granularity", .word(Granularity.names), required: true, "The level that applies."),
      Field("sample", .number(0...1), "Part of the records; only with `medium`."),
      Field("seed", .whole(.min ... .max), required: true, "Every random choice comes from this."),
      Field("params", .map(.any), required: true, "What the pipeline says, patched by hooks."),
    ], isOpen: true)

  private static let input = Record(
    "an input",
    [
      Field("name", .text, required: true, "As the stage called it that left it; `input` is the drop."),
      Field("path", .text, required: true, "Absolute."),
      Field("stage", .orNull(.text), "The stage that left it."),
      Field("sha256", .orNull(.text), "Lower-case hex."),
      Field("bytes", count, "Size."),
    ], isOpen: true)

  private static let item = Record(
    "an item",
    [
      Field("id", .text, required: true, "Its `id`, or the number of its line."),
      Field("data", .map(.any), required: true, "The record, or what the `each` stage before made of it."),
    ], isOpen: true)

  private static let output = Record(
    "an output",
    [
      Field("name", .text, required: true, "What later stages call it."),
      Field("path", .text, required: true, "Relative to `out`, and inside it."),
    ])

  private static func common(stage: Shape, event: Shape) -> [Field] {
    [
      Field("api", .whole(1...1), required: true, "The version of this contract."),
      id,
      Field("event", event, required: true, "What it is called for."),
      Field("run", .record(run), required: true, "The run."),
      Field("drop", .orNull(.record(drop)), "The file that began it."),
      Field("stage", stage, "The stage."),
      Field("inputs", .list(.record(input), atLeast: 0), "Outputs of the stages in `needs`."),
      Field("context", .map(.any), "What earlier replies put there, merged."),
      Field("out", .orNull(.text), "The working directory, for outputs."),
      Field("home", .text, required: true, "The workspace."),
      Field("deadline", .orNull(.text), "When it is ended, RFC 3339."),
    ]
  }

  private static let outcome = Record(
    "`outcome`",
    [
      Field("state", .text, required: true, "The state of the attempt or of the run."),
      Field("reason", .text, "Why, for people."),
      Field("exit", .whole(0...255), "Of the program, where it exited."),
      Field("wall_s", .number(any), "Seconds it took."),
      Field("cpu_s", .number(any), "Seconds of CPU, its whole process tree."),
      Field("rss_bytes", count, "Its largest resident set."),
    ], isOpen: true)

  package static let stageEnvelope = Record(
    "the request to a stage",
    common(stage: .record(stage), event: .word(["stage"])) + [
      Field("checkpoint", .text, "What the try before left in `checkpoint/`; only where it left something."),
      Field("item", .record(item), "The item; only of a stage with `each`."),
      Field("items", .list(.record(item), atLeast: 1), "The items, where `batch` gives several to one call."),
    ], isOpen: true)

  package static let hookEnvelope = Record(
    "the request to a hook",
    common(stage: .orNull(.record(stage)), event: .text) + [
      Field("outcome", .record(outcome), "How the stage or the run ended; only after-hooks."),
      Field("outputs", .list(.record(input), atLeast: 0), "What the stage or the run left; only after-hooks."),
      Field("metrics", .map(.number(any)), "Its figures; only after-hooks."),
      Field("verdict", .record(verdict), "What was decided on a policy; only `on-verdict`."),
    ], isOpen: true)

  private static let verdict = Record(
    "`verdict`",
    [
      Field("pipeline", .text, required: true, "Its name."),
      Field(
        "state", .word(Policy.State.allCases.map(\.rawValue)), required: true,
        "`in_force`: promoted; `demoted`: taken back, everything is coarse."),
      Field("levels", .map(.word(Granularity.names)), required: true, "By stage: what is promoted, or taken back."),
      Field("trial", .orNull(count), "The number of the trial that decided; null where none did."),
      Field("by", .text, required: true, "Who decided, in words."),
      Field("reason", .text, required: true, "Why, for people."),
      Field("since", .text, required: true, "When, RFC 3339."),
    ], isOpen: true)

  package static let stageReply = Record(
    "the reply of a stage",
    replyParts + [
      id,
      Field(
        "items",
        .list(
          .record(
            Record(
              "the reply on an item",
              [Field("id", .any, required: true, "That of the item.")] + replyParts)), atLeast: 0),
        "The replies on several items, where `batch` gave several to the call."),
    ])

  private static let replyParts = [
    Field("status", .word(["ok", "skip", "fail", "retry"]), "`ok` if unsaid."),
    Field("reason", .text, "Why, for people."),
    Field(
      "error", .text,
      "The class of a failure, `configuration`, `data`, `model` or `system`, and a code of its own: `data.schema`."),
    Field("outputs", .list(.record(output), atLeast: 0), "The files it left."),
    Field("metrics", .map(.number(any)), "Figures to compare runs by."),
    Field(
      "data",
      .record(
        Record(
          "`data`",
          [
            Field("rows", count, "Records."), Field("bytes", count, "Size."),
            Field("complexity", .number(any), "As the stage defines it."),
          ], isOpen: true)), "What the data is like, for rules; of an item, the next item."),
    Field("context", .map(.any), "Small facts for later stages."),
  ]

  package static let hookReply = Record(
    "the reply of a hook",
    [
      Field("decision", .word(["allow", "deny", "skip", "defer"]), "`allow` if unsaid."),
      Field("status", .word(["ok", "fail"]), "`fail` of a hook that stays is what an exit code is of one that ends."),
      id,
      Field("reason", .text, "Why, for people."),
      Field(
        "patch",
        .record(
          Record(
            "`patch`",
            [
              Field("params", .map(.any), "Merged over the parameters (RFC 7396)."),
              Field("context", .map(.any), "Merged over the context (RFC 7396)."),
            ])), "What it changes."),
      Field("granularity", .word(Granularity.names), "The level it wants."),
      Field("retry_after", .duration(atLeast: .zero), "How long the run waits after `defer`, 60s if unsaid."),
      Field("annotations", .map(.any), "Kept with the call and shown; 64 KiB are the most."),
      Field("warnings", .list(.text, atLeast: 0), "Shown with the run."),
    ])
}
