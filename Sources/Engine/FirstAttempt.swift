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
    guard run.state == .queued, run.started == nil, run.rerunOf == nil, run.isKnownWhole(in: pipeline, bench: bench),
      let stage = pipeline.stages.first, pipeline.concurrency == nil, stage.beginsFreely
    else { return nil }
    let hooks = HookCaller(bench: bench, run: run, pipeline: pipeline, mask: SecretMask(values: []))
    if hooks.hasHooks(at: .onArrival) || hooks.hasHooks(at: .beforeRun) { return nil }
    return opening(stage, n: 1, of: run, bench: bench)
  }
}

extension Run {
  /// Whether nothing of what it reads is still to be looked at.
  fileprivate func isKnownWhole(in pipeline: Pipeline, bench: Workbench) -> Bool {
    switch trigger {
    // what has a parent may be a loop, and what may be a duplicate is asked of the record
    case .drop: drop?.sha256 != nil && parent == nil && bench.duplicates(in: pipeline) == .run
    // a copy is yet to be given its place
    case .manual: drop == nil && RunOrigin(bench: bench, run: self, pipeline: pipeline).hasSources
    default: false
    }
  }
}
