/// The names of the events hooks are called for.
package enum HookNames {
  package static let general = [
    "before-run", "after-run", "before-stage", "after-stage", "on-arrival", "on-quarantine", "on-verdict",
  ]

  /// The general ones, and two for every stage.
  package static func all(stages: [String]) -> [String] {
    general + stages.flatMap { ["before-\($0)", "after-\($0)"] }
  }
}
