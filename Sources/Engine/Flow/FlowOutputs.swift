import Core
import Store

/// What a fan-out stage leaves: `items`, all results in the order of the items, and `failed`, where any did.
struct FlowOutputs {
  static let items = "items"
  static let failed = "failed"
  /// Items read at a time.
  private static let page = 1000

  let bench: Workbench
  let run: Run

  /// Writes and publishes them; a stage of which too many items failed leaves them too.
  func publish(_ stage: FlowStage, attempt: Int, _ ended: inout StageExecutor.Ended) async throws {
    guard stage.tally.refusal == nil else { return }
    do {
      try bench.spool.setLanesAside(run.id, stage: stage.name, n: attempt)
      bench.later { [bench, run] in
        bench.spool.removeLanes(run.id, stage: stage.name, n: attempt, areFree: stage.caller?.isStaying == false)
      }
      var outputs = [StageReply.Output(name: Self.items, path: "items.jsonl")]
      try await write(stage, attempt, failed: false, to: "items.jsonl")
      if stage.tally.count.failed > 0 {
        try await write(stage, attempt, failed: true, to: "failed.jsonl")
        outputs.append(StageReply.Output(name: Self.failed, path: "failed.jsonl"))
      }
      ended.artifacts = try bench.spool.publish(outputs, run.id, stage: stage.name, n: attempt)
      ended.files = bench.files(ended.artifacts, of: run.id)
    } catch let error as HostError where !error.isShortage {
      ended.outcome = .failure(.failed, error.description)
    }
  }

  private func write(_ stage: FlowStage, _ attempt: Int, failed: Bool, to name: String) async throws {
    let draft = try bench.spool.writeLines(to: name, run.id, stage: stage.name, n: attempt)
    var after = -1
    while true {
      let page = try await bench.store.reader.items(
        of: run.id, stage: stage.name, after: after, failed: failed, limit: Self.page)
      for outcome in page { try draft.write(try outcome.line()) }
      guard page.count == Self.page, let last = page.last else { break }
      after = last.index
    }
    try draft.finish()
  }
}

extension ItemOutcome {
  /// As a line of `items` or `failed`.
  fileprivate func line() throws -> String {
    let id = try JSON.string(id).line()
    guard let data else {
      return "{\"id\":\(id),\"reason\":\(try JSON.string(reason ?? "").line()),\"tries\":\(tries)}"
    }
    return "{\"id\":\(id),\"data\":\(data)}"
  }
}
