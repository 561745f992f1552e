import Core
import Engine

/// What a command asks of the agent, one JSON line.
enum ControlRequest: Equatable {
  case ping
  /// What only the agent knows: the inbox, and what runs now.
  case live
  case run(Starter.Wish)
  /// Answers when the run has ended; `by` is the run whose program asks.
  case wait(RunID, by: RunID? = nil)
  case cancel(RunID)
  /// A failed or quarantined drop again.
  case retry(RunID)
  /// An ended run again.
  case rerun(Rerunner.Wish)
  /// A person has seen how these went wrong.
  case acknowledge([RunID])
  /// A trial of a pipeline; answers when it is decided or paused where `wait`. CPU seconds.
  case trial(String, budget: Double?, wait: Bool)
  /// A person ends the open trial of a pipeline.
  case stopTrial(String)
  /// A person puts levels in force for a pipeline; without any, what is in force is pinned.
  case pin(String, [String: Granularity])
  /// A person lets go of them.
  case unpin(String)
  /// Clears away what is old; `dry` only tells what would go.
  case clear(dry: Bool)
  /// Pauses a pipeline's schedule, or lets it go on.
  case schedule(String, paused: Bool)

  func line() throws -> String {
    let members: [String: JSON] =
      switch self {
      case .ping: ["op": "ping"]
      case .live: ["op": "live"]
      case .wait(let id, let by):
        ["op": "wait", "run": .string(id.text)].merging(by.map { ["by": .string($0.text)] } ?? [:]) { own, _ in own }
      case .cancel(let id): ["op": "cancel", "run": .string(id.text)]
      case .retry(let id): ["op": "retry", "run": .string(id.text)]
      case .rerun(let wish):
        [
          "op": "rerun", "run": .string(wish.run.text), "from": wish.from.map { .string($0) } ?? .null,
          "failed_only": .bool(wish.failedOnly), "use_cache": .bool(wish.useCache),
          "set": .object(wish.set.mapValues { .string($0) }), "same_version": .bool(wish.sameVersion),
        ]
      case .trial(let pipeline, let budget, let wait):
        [
          "op": "trial", "pipeline": .string(pipeline), "budget_s": budget.map { .number($0) } ?? .null,
          "wait": .bool(wait),
        ]
      case .stopTrial(let pipeline): ["op": "stop_trial", "pipeline": .string(pipeline)]
      case .pin(let pipeline, let levels):
        [
          "op": "pin", "pipeline": .string(pipeline),
          "levels": .object(levels.mapValues { .string($0.rawValue) }),
        ]
      case .unpin(let pipeline): ["op": "unpin", "pipeline": .string(pipeline)]
      case .clear(let dry): ["op": "clear", "dry": .bool(dry)]
      case .schedule(let pipeline, let paused):
        ["op": "schedule", "pipeline": .string(pipeline), "paused": .bool(paused)]
      case .acknowledge(let ids): ["op": "acknowledge", "runs": .array(ids.map { .string($0.text) })]
      case .run(let wish):
        [
          "op": "run", "pipeline": .string(wish.pipeline),
          "set": .object(wish.options.set.mapValues { .string($0) }),
          "granularity": .object(wish.options.granularity.mapValues { .string($0.rawValue) }),
          "use_cache": .bool(wish.options.useCache),
        ].merging(wish.input.map { JSONName.members(of: $0, key: "input") } ?? [:]) { _, input in input }
      }
    return try JSON.object(members).line()
  }

  /// - Throws: `CommandFailure` in words.
  init(_ json: JSON) throws {
    func run() throws -> RunID {
      guard let id = json["run"]?.string.flatMap({ RunID($0) }) else { throw CommandFailure("`run` must be a run id") }
      return id
    }
    func pipeline() throws -> String {
      guard let name = json["pipeline"]?.string else { throw CommandFailure("`pipeline` must be text") }
      return name
    }
    func levels(_ key: String) throws -> [String: Granularity] {
      var levels: [String: Granularity] = [:]
      for (stage, level) in json[key]?.object ?? [:] {
        guard let level = level.string.flatMap(Granularity.init) else {
          throw CommandFailure("`\(key).\(Display.brief(stage))` must be coarse, medium, fine or off")
        }
        levels[stage] = level
      }
      return levels
    }
    switch json["op"]?.string {
    case "ping": self = .ping
    case "live": self = .live
    case "wait": self = .wait(try run(), by: json["by"]?.string.flatMap { RunID($0) })
    case "cancel": self = .cancel(try run())
    case "retry": self = .retry(try run())
    case "rerun":
      self = .rerun(
        Rerunner.Wish(
          run: try run(), from: json["from"]?.string, failedOnly: json["failed_only"]?.bool ?? false,
          useCache: json["use_cache"]?.bool ?? true, set: (json["set"]?.object ?? [:]).compactMapValues(\.string),
          sameVersion: json["same_version"]?.bool ?? false))
    case "stop_trial": self = .stopTrial(try pipeline())
    case "trial":
      self = .trial(try pipeline(), budget: json["budget_s"]?.double, wait: json["wait"]?.bool ?? false)
    case "pin": self = .pin(try pipeline(), try levels("levels"))
    case "unpin": self = .unpin(try pipeline())
    case "clear": self = .clear(dry: json["dry"]?.bool ?? true)
    case "schedule":
      guard let pipeline = json["pipeline"]?.string, let paused = json["paused"]?.bool else {
        throw CommandFailure("`pipeline` must be text and `paused` a flag")
      }
      self = .schedule(pipeline, paused: paused)
    case "acknowledge":
      let ids = (json["runs"]?.array ?? []).map { $0.string.flatMap { RunID($0) } }
      guard !ids.isEmpty, !ids.contains(nil) else { throw CommandFailure("`runs` must be a list of run ids") }
      self = .acknowledge(ids.compactMap { $0 })
    case "run":
      var options = RunOptions()
      options.set = (json["set"]?.object ?? [:]).compactMapValues(\.string)
      options.useCache = json["use_cache"]?.bool ?? true
      options.granularity = try levels("granularity")
      let input = json["input"]?.string.map { _ in JSONName.name(in: json, key: "input") }
      self = .run(Starter.Wish(pipeline: try pipeline(), input: input, options: options))
    case let op:
      throw CommandFailure(
        "unknown request `\(Display.brief(op ?? ""))`: this agent speaks ping, live, run, wait, cancel, retry, rerun, acknowledge, pin, unpin, schedule, trial, stop_trial, clear"
      )
    }
  }
}
