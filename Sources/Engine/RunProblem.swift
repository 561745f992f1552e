import Core

/// An error that ends one run and not the agent, in words for a person.
protocol RunProblem: Error {
  var words: String { get }
}

extension HostError: RunProblem {
  var words: String { description }
}

extension InvalidPipeline: RunProblem {
  var words: String { diagnostics.map(\.message).joined(separator: "; ") }
}
