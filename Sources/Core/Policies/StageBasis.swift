/// What the stages of a pipeline were at one moment, as far as a verdict on their levels depends on it.
///
/// By stage and part: the SHA-256 of the part. Parts of one stage are `command`, `params`, `levels`, `place`, and each
/// of its files as `file PATH`.
package struct StageBasis: Sendable, Equatable, Codable {
  package var stages: [String: [String: String]]

  package init(_ stages: [String: [String: String]] = [:]) { self.stages = stages }

  /// What is not any more as it was then, most telling first; empty where all is the same.
  /// - Parameter now: what the stages are now; it may have more stages than there were.
  package func changes(to now: StageBasis) -> [String] {
    var gone: [String] = []
    var changed: [String: [String]] = [:]
    for (stage, parts) in stages.sorted(by: { $0.key < $1.key }) {
      guard let own = now.stages[stage] else {
        gone.append("stage `\(stage)` is not among those it was learned on any more")
        continue
      }
      for part in Set(parts.keys).union(own.keys) where parts[part] != own[part] {
        changed[part, default: []].append("`\(stage)`")
      }
    }
    return gone
      + changed.sorted { Self.tells($0.key, $1.key) }.map { part, stages in
        "\(Self.words(part)) of stage\(stages.count == 1 ? "" : "s") \(stages.joined(separator: ", ")) has changed"
      }
  }

  private static let order = ["command", "params", "levels", "place"]

  /// Files first: they change most.
  private static func tells(_ left: String, _ right: String) -> Bool {
    let ranks = [left, right].map { order.firstIndex(of: $0) ?? -1 }
    return ranks[0] == ranks[1] ? left < right : ranks[0] < ranks[1]
  }

  private static func words(_ part: String) -> String {
    switch part {
    case "command": "the command"
    case "params": "a parameter"
    case "levels": "what a level does"
    case "place": "the place"
    default: "`\(Display.escaped(part.hasPrefix("file ") ? String(part.dropFirst(5)) : part))`"
    }
  }
}

extension Pipeline {
  /// The stages that a verdict on levels depends on: those that are `auto` and all they build on.
  package var basisStages: [Stage] {
    let wanted = stages.closure(of: Set(automatic.map(\.name)))
    return stages.filter { wanted.contains($0.name) }
  }
}

extension Stage {
  /// The parts of its definition but for the files, as JSON; written as a line they are the same for equal stages.
  package func definition(_ manifest: Manifest?) -> [String: JSON] {
    let level: JSON =
      switch granularity {
      case .auto: "auto"
      case .fixed(let level, _): .string(level.rawValue)
      }
    return [
      "command": [
        "uses": uses.map { .string($0) } ?? .null, "version": manifest.map { .string($0.version) } ?? .null,
        "run": .array((manifest?.program ?? program).map { .string($0) }),
      ],
      "params": .object(params),
      "levels": [
        "granularity": level, "sample": .number(sample),
        "params": .object(
          Dictionary(uniqueKeysWithValues: levelParams.map { ($0.key.rawValue, JSON.object($0.value)) })),
      ],
      "place": [
        "needs": .array(needs.map { .string($0) }), "when": when.map { .string($0) } ?? .null,
        "each": each.map { .string($0.from ?? "") } ?? .null,
      ],
    ]
  }
}
