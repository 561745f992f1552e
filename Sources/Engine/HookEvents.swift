import Core

/// The moments a hook may run at.
enum HookEvent: Equatable {
  case onArrival
  case beforeRun
  case afterRun
  case before(stage: String)
  case after(stage: String)
  case onQuarantine

  /// The names hooks are looked up by, in the order they run: the wide one encloses the narrow one.
  var names: [String] {
    switch self {
    case .onArrival: ["on-arrival"]
    case .beforeRun: ["before-run"]
    case .afterRun: ["after-run"]
    case .before(let stage): ["before-stage", "before-\(stage)"]
    case .after(let stage): ["after-\(stage)", "after-stage"]
    case .onQuarantine: ["on-quarantine"]
    }
  }

  /// A hook that fails before a thing stops it; one that fails after it has nothing left to stop.
  var standardOnError: HookProgram.OnError {
    switch self {
    case .onArrival, .beforeRun, .before: .fail
    case .afterRun, .after, .onQuarantine: .warn
    }
  }

  var isBefore: Bool { standardOnError == .fail }
}
