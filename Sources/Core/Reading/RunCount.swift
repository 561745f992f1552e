/// How many runs of a pipeline are in one state.
package struct RunCount: Sendable, Equatable {
  package var pipeline: String
  package var state: RunState
  package var count: Int

  package init(pipeline: String, state: RunState, count: Int) {
    self.pipeline = pipeline
    self.state = state
    self.count = count
  }
}
