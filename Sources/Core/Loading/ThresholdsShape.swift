/// What the built-in rules call much: `rules:` of the settings.
extension SettingsShape {
  static let rules = Setting(
    field: Field(
      "rules",
      .record(
        Record(
          "the thresholds of the built-in rules",
          [
            Field("volume", .whole(1 ... .max), "Rows that are much."),
            Field("latency", .duration(atLeast: .milliseconds(1)), "Of one stage, where the pipeline has no target."),
            Field("resource_usage", .percent, "Of what the targets allow."),
            Field("complexity", .number(0...1), "Of data that is complex."),
            Field("history", .whole(1...1000), "Attempts of a stage that its past is measured by."),
          ])),
      "What the built-in rules call much, and how many attempts of a stage they look back; `penstock policy` shows them."
    ),
    read: { node, settings in
      node["volume"]?.whole.map { settings.rules.volume = $0 }
      node["latency"]?.duration.map { settings.rules.latency = $0 }
      node["resource_usage"]?.percent.map { settings.rules.resourceUsage = $0 }
      node["complexity"]?.number.map { settings.rules.complexity = $0 }
      node["history"]?.whole.map { settings.rules.history = $0 }
    },
    write: { settings in
      let rules = settings.rules
      return "{ volume: \(rules.volume), latency: \(Quantity.spelled(rules.latency)), "
        + "resource_usage: \(Quantity.text(percent: rules.resourceUsage)), complexity: \(rules.complexity), "
        + "history: \(rules.history) }"
    })
}
