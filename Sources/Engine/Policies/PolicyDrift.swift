import Core
import Store

/// Tells which policies were learned or pinned on stages that are not any more as they were.
package struct PolicyDrift: Sendable {
  private let bench: Workbench
  private let book: PipelineBook

  package init(bench: Workbench, book: PipelineBook) {
    self.bench = bench
    self.book = book
  }

  /// By pipeline what has changed, in words; of pipelines with something in force.
  package func changes() async throws -> [String: [String]] {
    var changes: [String: [String]] = [:]
    for version in book.versions where !version.pipeline.automatic.isEmpty {
      let standing = try await bench.store.reader.policy(of: version.pipeline.name)
      guard let current = standing.current, current.state != .demoted else { continue }
      changes[version.pipeline.name] = current.basis.changes(to: bench.definitions.basis(of: version.pipeline))
    }
    return changes
  }
}
