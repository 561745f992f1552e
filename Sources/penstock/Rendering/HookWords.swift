import Core

/// What a hook decided, as people read it; programs get the value as it is.
extension HookDecision {
  /// `error` is no answer: the hook went wrong, and what its `on_error` says was done.
  var words: String { self == .error ? "went wrong" : rawValue }

  /// - Parameter text: of a log or a report.
  static func words(_ text: String) -> String { HookDecision(rawValue: text)?.words ?? text }
}
