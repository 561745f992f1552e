/// What hooks and replies have put into `context`.
///
/// A stage sees what the hooks before the run and the stages it builds on put there, in the order of the pipeline: never
/// what another branch said, or chance would decide what it sees.
package struct RunContext: Sendable {
  private var base: JSON
  private var patches: [String: [JSON]] = [:]
  private let stages: [Stage]
  /// Whether the base was changed since it was read.
  private(set) var isChanged = false

  package init(_ base: JSON, stages: [Stage]) {
    self.base = base
    self.stages = stages
  }

  /// A hook before the run changes it for every stage.
  package mutating func patch(_ patch: JSON) {
    base = base.merging(patch)
    isChanged = true
  }

  package mutating func add(_ more: [JSON], from stage: String) {
    if !more.isEmpty { patches[stage, default: []] += more }
  }

  /// As a stage sees it: its own earlier attempts count.
  package func seen(by stage: Stage) -> JSON {
    if patches.isEmpty { return base }
    return merged(of: stages.closure(of: [stage.name]).contains)
  }

  /// With what every stage put there.
  package var whole: JSON { merged { _ in true } }

  /// Before any stage; `nil` where it is as it was read.
  package var changedBase: JSON? {
    // not `isChanged ? base : nil`: there `nil` would be a JSON null
    isChanged ? base : Optional.none
  }

  private func merged(of counts: (String) -> Bool) -> JSON {
    var context = base
    for stage in stages where counts(stage.name) {
      for patch in patches[stage.name] ?? [] { context = context.merging(patch) }
    }
    return context
  }
}
