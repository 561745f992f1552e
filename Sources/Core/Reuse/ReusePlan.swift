/// Which stages of a run that repeats another are taken from it, and which are worked.
package struct ReusePlan: Sendable, Equatable {
  /// By name; all others are worked.
  package let taken: Set<String>

  /// - Parameters:
  ///   - stages: those of the new run, in order.
  ///   - settled: the stages of the earlier run that ended well.
  ///   - from: the first stage to be worked; `nil` begins with what did not end well.
  package init(stages: [Stage], settled: Set<String>, from: String?) {
    var worked: Set<String> = []
    // in order, so that what a stage needs is decided before it
    for stage in stages {
      let isFirst = stage.name == from || !settled.contains(stage.name)
      if isFirst || stage.needs.contains(where: worked.contains) { worked.insert(stage.name) }
    }
    taken = Set(stages.map(\.name)).subtracting(worked)
  }
}
