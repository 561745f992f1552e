/// How long things are kept: `retention:` of the settings.
extension SettingsShape {
  private typealias Age = WritableKeyPath<Settings.Retention, Duration?> & Sendable

  private static let ages: [(key: String, path: any Age, summary: String)] = [
    ("runs", \.runs, "The history of runs."), ("artifacts", \.artifacts, "What runs left in var/runs."),
    ("logs", \.logs, "Logs of runs, and logs of the agent that were put aside."),
    ("done", \.done, "Drops in var/done; null, the default, keeps them."),
    ("failed", \.failed, "Drops in var/failed; null, the default, keeps them."),
    ("quarantine", \.quarantine, "Acknowledged drops in var/quarantine; null, the default, keeps them."),
  ]

  private static let cache = Field("cache", .orNull(.size), "Of var/cache; what was used longest ago goes first.")

  static let retention = Setting(
    field: Field(
      "retention",
      .record(
        Record(
          "the retention",
          ages.map { Field($0.key, .orNull(.duration(atLeast: .seconds(1))), $0.summary) } + [cache])),
      "How long things stay after the end of their run, `gc` and the agent each night; null keeps them for ever."),
    read: { node, settings in
      for (key, path, _) in ages {
        guard let given = node[key] else { continue }
        settings.retention[keyPath: path] = given.duration
      }
      if let given = node["cache"] { settings.retention.cache = given.size }
    },
    write: { settings in
      let kept = settings.retention
      let words = ages.map { "\($0.key): \(kept[keyPath: $0.path].map(spelled) ?? "null")" }
      return
        "{ \((words + ["cache: \(kept.cache.map { Quantity.spelled(bytes: $0) } ?? "null")"]).joined(separator: ", ")) }"
    })

  /// In days where it is some.
  private static func spelled(_ age: Duration) -> String {
    let (seconds, rest) = age.components
    return seconds % 86400 == 0 && rest == 0 ? "\(seconds / 86400)d" : Quantity.spelled(age)
  }
}
