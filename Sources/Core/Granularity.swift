/// How much of a stage is applied.
package enum Granularity: String, Sendable, Codable, CaseIterable {
  case coarse
  case medium
  case fine
  case off

  /// As they are written in a list.
  package static let names = allCases.map(\.rawValue)

  /// The level in words; `fine` is the *simplified* algorithm, not the careful one.
  package var gloss: String {
    switch self {
    case .coarse: "full"
    case .medium: "sampled data"
    case .fine: "simplified algorithm"
    case .off: "bypassed"
    }
  }
}

/// A dictionary by level is a JSON object, whose keys can be put in order.
extension Granularity: CodingKeyRepresentable {}

/// Who may decide the granularity of a stage, the strongest first.
package enum GranularityAuthority: String, Sendable, Codable, CaseIterable {
  case arm
  case override
  case hook
  case fixed
  case rule
  case policy
  case standard
}

/// One authority's word on the granularity of a stage.
package struct GranularityOpinion: Sendable, Equatable, Codable {
  package let authority: GranularityAuthority
  package let level: Granularity
  /// Why, in words; shown by `show`, `why` and `status`.
  package let reason: String

  package init(_ authority: GranularityAuthority, _ level: Granularity, reason: String) {
    self.authority = authority
    self.level = level
    self.reason = reason
  }

  /// The opinion that holds: that of the strongest authority; `coarse` where nobody has one.
  package static func deciding(among opinions: [GranularityOpinion]) -> GranularityOpinion {
    let order = GranularityAuthority.allCases
    let strongest = opinions.min { left, right in
      (order.firstIndex(of: left.authority) ?? 0) < (order.firstIndex(of: right.authority) ?? 0)
    }
    return strongest ?? GranularityOpinion(.standard, .coarse, reason: "nothing says otherwise")
  }
}
