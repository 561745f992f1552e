package import Core

/// The moments a hook may run at.
package enum HookEvent: Equatable {
  case onArrival
  case beforeRun
  case afterRun
  case before(stage: String)
  case after(stage: String)
  case onQuarantine
  case onVerdict

  /// The names hooks are looked up by, in the order they run: the wide one encloses the narrow one.
  package var names: [String] {
    switch self {
    case .onArrival: ["on-arrival"]
    case .beforeRun: ["before-run"]
    case .afterRun: ["after-run"]
    case .before(let stage): ["before-stage", "before-\(stage)"]
    case .after(let stage): ["after-\(stage)", "after-stage"]
    case .onQuarantine: ["on-quarantine"]
    case .onVerdict: ["on-verdict"]
    }
  }

  /// A hook that fails before a thing stops it; one that fails after it has nothing left to stop.
  package var standardOnError: HookProgram.OnError {
    switch self {
    case .onArrival, .beforeRun, .before: .fail
    case .afterRun, .after, .onQuarantine, .onVerdict: .warn
    }
  }

  /// The stage it is about.
  package var stage: String? {
    switch self {
    case .before(let stage), .after(let stage): stage
    case .onArrival, .beforeRun, .afterRun, .onQuarantine, .onVerdict: nil
    }
  }

  /// The moment at which hooks of this name run.
  /// - Parameter stage: for `before-stage` and `after-stage`, which name none.
  package init?(named name: String, stage: String?) {
    switch name {
    case "on-arrival": self = .onArrival
    case "before-run": self = .beforeRun
    case "after-run": self = .afterRun
    case "on-quarantine": self = .onQuarantine
    case "on-verdict": self = .onVerdict
    case "before-stage", "after-stage":
      guard let stage else { return nil }
      self = name == "before-stage" ? .before(stage: stage) : .after(stage: stage)
    default:
      if name.hasPrefix("before-") {
        self = .before(stage: String(name.dropFirst("before-".count)))
      } else if name.hasPrefix("after-") {
        self = .after(stage: String(name.dropFirst("after-".count)))
      } else {
        return nil
      }
    }
  }

  package var isBefore: Bool { standardOnError == .fail }
}
