import Core

extension Attempt {
  /// The first attempt of a run that nothing was done for yet; `nil` where something that may veto it comes before.
  static func first(of run: Run, in pipeline: Pipeline, bench: Workbench) -> Attempt? {
    guard run.state == .queued, run.started == nil, run.trigger == .drop, run.drop?.sha256 != nil,
      let stage = pipeline.stages.first
    else { return nil }
    let hooks = HookCaller(bench: bench, run: run, pipeline: pipeline, mask: SecretMask(values: []))
    if hooks.hasHooks(at: .onArrival) || hooks.hasHooks(at: .beforeRun) { return nil }
    return opening(stage, n: 1, of: run, bench: bench)
  }
}
