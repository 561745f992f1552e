import Core
import Foundation
import Synchronization

/// Calls a stage's program for items: one process a call, or one request to a worker that stays.
///
/// What is the same for all of them is made once.
struct ItemProgram: ItemCalling {
  let bench: Workbench
  let run: Run
  let stage: Stage
  let attempt: Int
  let mask: SecretMask
  let isBatch: Bool
  let gate: FlowGate
  /// Everything of a call but the item and the directory.
  let request: ProgramRequest
  let envelope: ItemEnvelope
  /// `nil` where each call is a process of its own.
  let worker: WorkerProgram?
  let lanes = LaneDirectories()

  /// The working directories of the lanes that have called so far.
  final class LaneDirectories: Sendable {
    private let paths = Mutex<[Int: String]>([:])

    func path(of lane: Int, making make: () throws -> String) throws -> String {
      if let known = paths.withLock({ $0[lane] }) { return known }
      let path = try make()
      paths.withLock { $0[lane] = path }
      return path
    }
  }

  var isStaying: Bool { worker != nil }

  func call(_ items: [Item], lane: Int) async throws -> ItemAnswer {
    let out = try lanes.path(of: lane) { try bench.spool.openLane(lane, run.id, stage: stage.name, n: attempt) }
    let lines = LineCollector(mask: mask) { [bench, run, stage, attempt] line in
      bench.say(.outputLine(line, hook: nil), run, stage: stage.name, attempt: attempt)
    }
    var result = try await self.result(items, out: out, lines)
    try Task.checkCancellation()
    result.reply = mask.masked(result.reply)
    var outcomes: [StageOutcome]
    if isBatch {
      outcomes = StageOutcome.of(result, items: items, timeout: stage.timeout, lastLine: lines.lastLine)
    } else {
      outcomes = [StageOutcome.of(result, timeout: stage.timeout, lastLine: lines.lastLine)]
    }
    for (place, item) in items.enumerated() {
      do {
        try bench.spool.clearLane(
          out, keeping: outcomes[place].reply.outputs.map { $0.relative(to: out) }, as: item.index,
          isLast: place == items.count - 1)
      } catch let error as HostError where !error.isShortage {
        outcomes[place] = .failure(.failed, error.description)
      }
    }
    var refusal: String?
    if case .unstarted(let why) = result.termination, result.ending == .itself { refusal = why }
    return ItemAnswer(outcomes, usage: result.usage, refusal: refusal)
  }

  private func result(_ items: [Item], out: String, _ lines: LineCollector) async throws -> ProgramResult {
    var request = request
    // a worker has all of it in the request
    if worker == nil {
      request.directory = out
      request.environment["PENSTOCK_OUT"] = out
      if let item = items.first {
        request.environment["PENSTOCK_IDEMPOTENCY_KEY"] = "\(run.id.text)/\(stage.name)/\(item.id)"
        if !isBatch { request.environment["PENSTOCK_ITEM"] = item.id }
      }
      for place in request.arguments.indices where request.arguments[place].utf8.contains(0) {
        request.arguments[place] = request.arguments[place].replacing(Self.out, with: out)
      }
    }
    let deadline = stage.timeout.map { Timestamp.text(bench.now() + $0 / .seconds(1)) }
    request.input = try envelope.line(items, out: out, deadline: deadline)
    request.onLogLine = { lines.take($0) }
    request.cancellation = gate.calls
    return try await bench.work(request, of: run, stage: stage.name, by: worker)
  }

  /// Stands for the working directory in the arguments that were filled in once: nothing else holds a NUL.
  static let out = "\0out\0"
}
