import Core

extension Stage {
  /// Whether nothing but the need for a place keeps it from beginning.
  ///
  /// Of one that is `auto` the rules are asked first.
  fileprivate var beginsFreely: Bool {
    when == nil && concurrency == nil && breaker == nil && each == nil && granularity != .auto
  }
}

extension Attempt {
  /// The first attempt of a run that nothing was done for yet; `nil` where something that may veto it comes before.
  static func first(of run: Run, in pipeline: Pipeline, bench: Workbench) -> Attempt? {
    // what has a parent may be a loop, and what may be a duplicate is asked of the record
    guard run.state == .queued, run.started == nil, run.trigger == .drop, run.drop?.sha256 != nil,
      run.parent == nil, run.rerunOf == nil, bench.duplicates(in: pipeline) == .run,
      let stage = pipeline.stages.first, pipeline.concurrency == nil, stage.beginsFreely
    else { return nil }
    let hooks = HookCaller(bench: bench, run: run, pipeline: pipeline, mask: SecretMask(values: []))
    if hooks.hasHooks(at: .onArrival) || hooks.hasHooks(at: .beforeRun) { return nil }
    return opening(stage, n: 1, of: run, bench: bench)
  }
}
