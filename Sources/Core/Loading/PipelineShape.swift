/// The keys of a pipeline file.
package enum PipelineShape {
  package static let root = Record(
    "a pipeline file",
    [
      Field("pipeline", .record(head), required: true, "The name, and what it builds on."),
      Field("vars", .map(.any), "Values for `${vars.x}`; `--set x=…` replaces one for a run."),
      Field("trigger", .record(trigger), "What begins a run."),
      Field("data", .record(data), "What a run reads that has no drop."),
      Field("targets", .record(targets), "What the pipeline should keep to."),
      Field("stages", .list(.record(stage), atLeast: 1), "The programs, in order."),
      Field(
        "hooks", .map(.list(.record(hook), atLeast: 0)), "Hooks by event, after those of `hooks/<event>.d/`."),
      Field("env", .list(.name(.variable), atLeast: 0), "Environment variables passed on to programs."),
      Field(
        "rules", .list(.record(rule), atLeast: 0),
        "Conditions that change the granularity of `auto` stages; the first that holds decides."),
      Field("trials", .record(trials), "Trials over the `auto` stages."),
    ])

  /// The keys of the declarative form that no pipeline file has.
  package static let declarative = ["model", "evaluation", "drift_detection", "few_shot"]

  private static let head = Record(
    "`pipeline`",
    [
      Field("name", .name(.path), required: true, "The name of the pipeline."),
      Field("version", .text, "The author's version, for people."),
      Field("timeout", .duration(atLeast: .milliseconds(1)), "For the work of one run, without what it waits."),
      Field("concurrency", .whole(1...1000), "Runs of it at the same time."),
      Field("extends", .name(.path), "The pipeline this one builds on, by name or by path in `pipelines/`."),
    ])

  private static let trigger = Record(
    "`trigger`",
    [
      Field("inbox", .pattern, "Names of drops it takes: `*`, `?`, and `{name}` which captures a part."),
      Field(
        "priority", .whole(-1000...1000), "Of several pipelines that match a drop the highest has it."),
      Field(
        "duplicates", .word(DuplicateRule.allCases.map(\.rawValue)),
        "Content that an earlier done drop had: `run` it again, or `skip` it; the settings say which if unsaid."),
      Field(
        "done_file", .text,
        "A drop waits until this file lies beside it, such as `${name}.ok`, and takes it along."),
      Field("on_config", .flag, "New content of this file starts a run, once per content."),
      Field("schedule", .record(ScheduleShape.root), "Runs by the clock."),
    ])

  private static let data = Record(
    "`data`",
    [
      Field(
        "sources",
        .list(
          .record(
            Record(
              "a data source",
              [
                Field("type", .word(["csv", "ndjson", "parquet"]), required: true, "The format."),
                Field("path", .text, required: true, "Relative to the workspace, or absolute."),
              ])), atLeast: 0), "Files, in order.")
    ])

  private static let targets = Record(
    "`targets`",
    [
      Field("max_latency", .duration(atLeast: .milliseconds(1)), "From the claim to the end of the run."),
      Field("cpu", .percent, "What a stage may use on average, of one processor."),
      Field("memory", .size, "Of the largest program."),
      Field("accuracy", .number(0...1), "The metric the pipeline should reach."),
      Field(
        "priority", .word(Targets.Priority.allCases.map(\.rawValue)),
        "What comes first where quality and time are at odds, for the built-in rules."),
    ])

  private static let params = Field("params", .map(.any), "Parameters, checked against the manifest.")

  package static let stage = Record(
    "a stage",
    [
      Field("name", .name(.plain), required: true, "Its name, unique in the pipeline."),
      Field("uses", .name(.path), "A registered stage, see `penstock stages`."),
      Field("run", .list(.text, atLeast: 1), "A program and its arguments; no shell is involved."),
      params,
      Field(
        "needs", .list(.name(.plain), atLeast: 0), "The stages whose outputs it gets; else the one before."),
      Field("after", .name(.plain), "Where a stage that is new here goes among the inherited ones."),
      Field("enabled", .flag, "`false` removes an inherited stage."),
      Field(
        "granularity", .word(["auto"] + Granularity.names),
        Granularity.allCases.map { "`\($0.rawValue)` \($0.gloss)" }.joined(separator: ", ")
          + "; `auto` leaves it to rules, policy and trials."
      ),
      Field("coarse", .record(level("`coarse`")), "What applies with `coarse` only."),
      Field(
        "medium",
        .record(
          Record(
            "`medium`", [Field("sample", .fraction, "Part of the records, 20% if unsaid."), params])),
        "What applies with `medium` only."),
      Field("fine", .record(level("`fine`")), "What applies with `fine`, the simplified algorithm, only."),
      Field("timeout", .duration(atLeast: .milliseconds(1)), "For one attempt; TERM, then KILL."),
      Field("retry", .record(retry), "How often it is tried."),
      Field("on_error", .word(Stage.OnError.allCases.map(\.rawValue)), "What its failure does to the run."),
      Field(
        "on_interrupt", .word(Stage.OnInterrupt.allCases.map(\.rawValue)),
        "What happens when the agent or the host died inside it."),
      Field(
        "fallback", .record(level("`fallback`")), "Parameters of one more attempt when all others failed."),
      Field("limits", .record(limits), "Limits the kernel enforces."),
      Field("when", .text, "An SQL condition; where it does not hold the stage is skipped."),
      Field("concurrency", .whole(1...1000), "Attempts of it at the same time, over all runs."),
      Field("breaker", .record(breaker), "Leaves a stage alone for a while that fails again and again."),
      Field("pure", .flag, "Equal inputs give equal outputs, so it may be taken from the cache."),
      Field(
        "files", .list(.text, atLeast: 0),
        "Of a `run` stage: files whose content is its identity beside the program's own."),
      Field(
        "splits", .flag, "Of a `run` stage: its outcome depends on how a trial splits the rows into folds."),
      Field("each", .record(each), "One call for every item."),
    ])

  private static let each = Record(
    "`each`",
    [
      Field(
        "from", .name(.plain), "The output whose JSON Lines are the items; unsaid, those of the `each` stage before."),
      Field(
        "concurrency", .whole(1...10000),
        "Calls at the same time; unsaid, those of the `each` stage whose items it takes, else 4."),
      Field("batch", .whole(1...100_000), "Items of one call; 1 if unsaid."),
      Field("rate", .rate, "Calls begun at most, such as `5/s`."),
      Field("min_success", .percent, "Share of the items that must succeed; 100% if unsaid."),
      Field("retry", .record(retry), "How often an item is tried."),
    ])

  private static let breaker = Record(
    "`breaker`",
    [
      Field("failures", .whole(1...1000), "Failures in a row that open it; 5 if unsaid."),
      Field("cooldown", .duration(atLeast: .seconds(1)), "How long it stays open; 10m if unsaid."),
    ])

  private static func level(_ title: String) -> Record { Record(title, [params]) }

  private static let retry = Record(
    "`retry`",
    [
      Field("attempts", .whole(1...100), "Tries in all."),
      Field("backoff", .duration(atLeast: .zero), "The wait before the second try."),
      Field("factor", .number(1...100), "By which the wait grows from try to try."),
      Field("jitter", .percent, "Share of the wait that chance adds or takes away."),
      Field(
        "on", .list(.word(ErrorClass.names), atLeast: 1),
        "The classes of failures that are tried again; all if unsaid."),
    ])

  private static let limits = Record(
    "`limits`",
    [
      Field("memory", .size, "Address space of a process."),
      Field("cpu_time", .duration(atLeast: .seconds(1)), "Processor time of a process, whole seconds."),
      Field("open_files", .whole(8...1_048_576), "Open files of a process."),
      Field("idle", .flag, "Runs only when nothing else wants the processor."),
    ])

  package static let hook = Record(
    "a hook",
    [
      Field("run", .list(.text, atLeast: 1), required: true, "A program and its arguments."),
      Field("timeout", .duration(atLeast: .milliseconds(1)), "Of one call."),
      Field(
        "on_error", .word(HookProgram.OnError.allCases.map(\.rawValue)),
        "What a hook that breaks does: before-hooks fail, after-hooks warn if unsaid."),
      Field("persistent", .flag, "It answers one request per line and stays."),
      Field(
        "stages", .list(.text, atLeast: 1),
        "Of `before-stage` and `after-stage`: the stages it is called for, names or patterns such as `train-*`."),
    ])

  private static let rule = Record(
    "a rule",
    [
      Field("stage", .text, required: true, "A stage, or a pattern such as `*` or `train-*`."),
      Field("when", .text, required: true, "A condition, an SQL expression over one row of facts."),
      Field("set", .word(Granularity.names), required: true, "The level it sets."),
      Field("why", .text, "Why, for people."),
    ])

  private static let trials = Record(
    "`trials`",
    [
      Field("window", .text, "The hours they run in, local time, such as `01:00-04:00`; unsaid, only when asked for."),
      Field("budget", .duration(atLeast: .seconds(1)), "CPU time of a night at most; 40m if unsaid."),
      Field(
        "share", .percent,
        "CPU time of trials at night, as a part of what the runs used in \(NightBudget.days) days; half of what verdicts saved comes on top. 20% if unsaid."
      ),
      Field("metric", .text, "What is measured; `accuracy` if unsaid."),
      Field("stage", .name(.plain), "The stage that gives the metric; unsaid, the last one that did."),
      Field(
        "goal", .word(TrialRules.Goal.allCases.map(\.rawValue)),
        "What is better; unsaid, errors and losses are to be small, all else large."),
      Field("margin", .margin, "Allowed loss of the metric, or a percentage of what full runs reach; 0.01 if unsaid."),
      Field("confidence", .percent, "How sure a verdict must be; 95% if unsaid."),
      Field("folds", .whole(2...20), "Parts of the rows, each held out once; 5 if unsaid."),
      Field("cost", .word(TrialRules.Cost.allCases.map(\.rawValue)), "What is to be saved; `cpu` if unsaid."),
      Field(
        "arms",
        .list(
          .record(
            Record(
              "an arm",
              [
                Field("name", .name(.plain), required: true, "Its name."),
                Field("levels", .map(.word(Granularity.names)), "Levels by stage, of stages that are `auto`."),
                Field("params", .map(.map(.any)), "Parameters by stage, merged over those of the stage."),
              ])), atLeast: 1),
        "The settings to compare with full runs; unsaid, every combination of levels."),
      Field(
        "relaxed", .flag,
        "`true` promotes also where the data is too small to say that it holds for data to come."),
    ])
}
