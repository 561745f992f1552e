package import Core
import Store

/// Tells the `on-verdict` hooks what was decided where no run is at work: as part of the newest run of the pipeline.
package struct VerdictCaller: Sendable {
  private let bench: Workbench
  private let book: PipelineBook
  /// Ends hooks that are still called when the agent stops.
  private let shutdown: Cancellation

  package init(bench: Workbench, book: PipelineBook, shutdown: Cancellation) {
    self.bench = bench
    self.book = book
    self.shutdown = shutdown
  }

  /// Nothing is called for a pipeline that never had a run.
  package func tell(of verdict: Policy) async throws {
    guard let run = try await bench.store.reader.runs(pipeline: verdict.pipeline, limit: 1).first else { return }
    try await RunExecutor(
      bench: bench, run: run, pipeline: book.pipelineInForce(of: run), cancellation: shutdown, shutdown: shutdown
    ).tell(of: verdict)
  }
}
