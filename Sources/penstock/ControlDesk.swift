import Core
import Engine
import Foundation
import Host
import Store

/// Answers what commands ask of the running agent.
struct ControlDesk: Sendable {
  let agent: Agent
  let bench: Workbench
  let started: Date

  /// Serves until the server stops; a caller that waits long keeps nobody else waiting.
  func serve(_ server: ControlServer) async {
    await withDiscardingTaskGroup { group in
      for await call in server.incoming {
        group.addTask { call.answer(await self.answer(call.line)) }
      }
    }
  }

  private func answer(_ line: [UInt8]) async -> String {
    var reply: [String: JSON]
    do {
      let request = try ControlRequest(JSON(parsing: line))
      reply = try await answer(request)
      reply["ok"] = true
    } catch {
      bench.report(Event(at: bench.now(), .controlRefused("\(error)")))
      reply = ["ok": false, "error": .string("\(error)")]
    }
    reply["api"] = 1
    return (try? JSON.object(reply).line()) ?? "{\"ok\":false}"
  }

  private func answer(_ request: ControlRequest) async throws -> [String: JSON] {
    switch request {
    case .ping: return ["pid": .integer(Int(Machine.pid)), "started": .string(Timestamp.text(started))]
    case .live: return try await live()
    case .run(let wish):
      let runs = try await agent.starter.start(wish)
      return ["runs": .array(runs.map { ["id": .string($0.id.text), "number": .integer($0.number)] })]
    case .wait(let id, let waiter):
      let state = await agent.dispatcher.wait(for: id, by: waiter)
      return ["state": state.map { .string($0.rawValue) } ?? .null]
    case .cancel(let id): return ["cancelled": .bool(try await agent.dispatcher.cancel(id))]
    case .retry(let id):
      let run = try await agent.retrier.retry(id)
      return ["run": ["id": .string(run.id.text), "number": .integer(run.number)]]
    case .rerun(let wish):
      let run = try await agent.rerunner.rerun(wish)
      return ["run": ["id": .string(run.id.text), "number": .integer(run.number)]]
    case .trial(let pipeline, let budget, let wait):
      guard wait else {
        try await agent.trials.begin(pipeline, budget: budget)
        return [:]
      }
      return ["trial": TrialAnswer.json(try await agent.trials.work(pipeline, budget: budget))]
    case .stopTrial(let pipeline):
      return ["trial": try await agent.trials.halt(pipeline).map(TrialJSON.summary) ?? .null]
    case .clear(let dry): return ["cleared": ClearanceJSON.json(try await agent.housekeeper.clear(dry: dry))]
    case .pin(let pipeline, let levels): return ["policy": try await agent.pinning.pin(pipeline, levels).json]
    case .unpin(let pipeline): return ["policy": try await agent.pinning.unpin(pipeline).json]
    case .schedule(let pipeline, let paused):
      try await agent.scheduler.set(pipeline, paused: paused)
      return [:]
    case .acknowledge(let ids):
      return ["acknowledged": .integer(try await bench.store.acknowledge(ids, at: bench.now()))]
    }
  }

  private func live() async throws -> [String: JSON] {
    let ledger = agent.intake.ledger()
    let versions = agent.book.versions
    let watching = agent.watching()
    func entry(_ name: FileName, _ reason: String?) -> JSON {
      var members = JSONName.members(of: name)
      if let reason { members["reason"] = .string(reason) }
      return .object(members)
    }
    return [
      "pid": .integer(Int(Machine.pid)), "started": .string(Timestamp.text(started)),
      "watch": [
        "mode": .string(watching.mode == .events ? "events" : "polling"), "how": .string(watching.mode.words),
        "filesystem": .string(watching.filesystem.name), "overflows": .integer(watching.overflows),
        "replacements": .integer(watching.replacements),
        "troubles": .array(watching.troubles.map { .string($0) }),
        "paused": ledger.paused.map { .string($0.words) } ?? .null,
        "remedy": ledger.paused.map { .string($0.remedy) } ?? .null,
      ],
      "state": ["troubles": .array(agent.troubles().map { .string($0) })],
      "waiting": .array(
        ledger.waiting.map { entry($0.name, $0.reason).merging(due(ledger.left[$0.name])) }),
      "held": .array(ledger.held.map { entry($0.name, $0.reason) }),
      "unmatched": .array(ledger.unmatched.map { unmatched($0, among: versions) }),
      "queued": .integer(agent.dispatcher.backlog),
      "hooks": .array(bench.hooksAtWork.entries.map(HookAtWork.json)),
      "policy_changes": .object(
        try await agent.policyDrift.changes().mapValues { .array($0.map { .string($0) }) }),
    ]
  }
}

extension ControlDesk {
  /// When it is looked at again.
  private func due(_ left: Duration?) -> JSON { ["due_s": left.map { .number($0 / .seconds(1)) } ?? .null] }

  private func unmatched(_ name: FileName, among versions: [PipelineVersion]) -> JSON {
    var members = JSONName.members(of: name)
    members["nearest"] = Routing.nearest(to: name, among: versions).map { .string($0) }
    return .object(members)
  }
}

/// A file name in JSON: escaped where it is not UTF-8, its bytes then beside it.
enum JSONName {
  static func members(of name: FileName, key: String = "name") -> [String: JSON] {
    guard name.text == nil else { return [key: .string(name.text ?? "")] }
    return [key: .string(name.displayed), key + "_b64": .string(Data(name.bytes).base64EncodedString())]
  }

  /// Reads what `members` wrote.
  static func name(in json: JSON, key: String = "name") -> FileName {
    if let bytes = json[key + "_b64"]?.string.flatMap({ Data(base64Encoded: $0) }) { return FileName(bytes) }
    return FileName(json[key]?.string ?? "")
  }
}
