/// The keys of `etc/penstock.yaml`.
package enum SettingsShape {
  package static let root = Record("the settings", settings.map(\.field))

  /// A setting, how it is read, and how its value is written.
  package struct Setting: Sendable {
    package var field: Field
    package var read: @Sendable (Node, inout Settings) -> Void
    package var write: @Sendable (Settings) -> String
  }

  package static let settings: [Setting] = [
    Setting(
      field: Field(
        "concurrency", .whole(1...256), "Runs at the same time; a second branch of a run takes a place too."),
      read: { node, settings in node.whole.map { settings.concurrency = $0 } },
      write: { "\($0.concurrency)" }),
    duration("settle", \.settle, "Quiet time after the last sign of a writer, before a drop is claimed."),
    duration(
      "settle_moved", \.settleMoved,
      "The least after a rename into the inbox, where the kernel does not tell whether it is still open."),
    duration("settle_empty", \.settleEmpty, "How long an empty drop is waited for."),
    word("empty", \.empty, "What becomes of a drop that stays empty: `run` it, or `quarantine` it."),
    duration(
      "stuck_writer", \.stuckWriter, "A drop whose writer has had it open for longer is told of; it is never read.",
      atLeast: .milliseconds(1)),
    word(
      "duplicates", \.duplicates,
      "Content that an earlier done drop of the same pipeline had: `run` it again, or `skip` it and file it in done."),
    word(
      "source", \.source,
      "`move` takes drops out of the inbox; `keep` copies them and leaves them there, each taken once."),
    duration(
      "rescan", \.rescan, "How often the inbox is looked at whole, whatever the events say.",
      atLeast: .seconds(1)),
    Setting(
      field: Field(
        "watch", .word(WatchSetting.allCases.map(\.rawValue)),
        "How new drops are found: `auto` by events where the kernel sees every change, `poll` by looking."),
      read: { node, settings in node.text.flatMap(WatchSetting.init).map { settings.watch = $0 } },
      write: { $0.watch.rawValue }),
    duration(
      "poll", \.poll, "How often the inbox is looked at where the kernel's events do not tell all.",
      atLeast: .milliseconds(100)),
    Setting(
      field: Field("reserve", .size, "Free space on the disk below which nothing is claimed."),
      read: { node, settings in node.size.map { settings.reserve = $0 } },
      write: { Quantity.spelled(bytes: $0.reserve) }),
    duration("grace", \.grace, "From TERM to KILL, when a program is ended."),
    duration(
      "hook_timeout", \.hookTimeout, "Of one call of a hook that does not say otherwise.",
      atLeast: .milliseconds(1)),
    duration("drain", \.drain, "How long an agent that stops lets running stages finish."),
    Setting(
      field: Field("kit", .text, "Where the stage kit lies; empty looks in the usual places."),
      read: { node, settings in settings.kit = node.text.flatMap { $0.isEmpty ? nil : $0 } },
      write: { "\"\($0.kit ?? "")\"" }),
    Setting(
      field: Field(
        "state",
        .record(
          Record(
            "the settings of the state",
            [
              Field("backup", .duration(atLeast: .zero), "From one backup of the database to the next; 0s makes none."),
              Field("keep", .whole(1...1000), "Backups that stay in var/backups, the newest."),
            ])), "Backups of the database: how often (0s makes none), and how many stay in var/backups."),
      read: { node, settings in
        node["backup"]?.duration.map { settings.state.backup = $0 }
        node["keep"]?.whole.map { settings.state.keep = $0 }
      },
      write: { "{ backup: \(Quantity.spelled($0.state.backup)), keep: \($0.state.keep) }" }),
    retention,
    rules,
    names("env", \.environment, "Environment variables passed on to every program."),
    names(
      "secrets", \.secrets, "Environment variables whose values are masked wherever they would be shown."),
    Setting(
      field: Field("seed", .whole(0...4_294_967_295), "Every random choice of a stage comes from this."),
      read: { node, settings in node.whole.map { settings.seed = $0 } },
      write: { "\($0.seed)" }),
  ]

  private static func duration(
    _ key: String, _ path: any WritableKeyPath<Settings, Duration> & Sendable, _ summary: String,
    atLeast: Duration = .zero
  ) -> Setting {
    Setting(
      field: Field(key, .duration(atLeast: atLeast), summary),
      read: { node, settings in node.duration.map { settings[keyPath: path] = $0 } },
      write: { Quantity.spelled($0[keyPath: path]) })
  }

  private static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
    _ key: String, _ path: any WritableKeyPath<Settings, Word> & Sendable, _ summary: String
  ) -> Setting {
    Setting(
      field: Field(key, .word(Word.allCases.map(\.rawValue)), summary),
      read: { node, settings in node.text.flatMap(Word.init).map { settings[keyPath: path] = $0 } },
      write: { $0[keyPath: path].rawValue })
  }

  private static func names(
    _ key: String, _ path: any WritableKeyPath<Settings, [String]> & Sendable, _ summary: String
  ) -> Setting {
    Setting(
      field: Field(key, .list(.name(.variable), atLeast: 0), summary),
      read: { node, settings in node.texts.map { settings[keyPath: path] = $0 } },
      write: { "[\($0[keyPath: path].joined(separator: ", "))]" })
  }

  /// `etc/penstock.yaml` as it is shipped: every setting with its default, none of them in force.
  package static var template: String {
    let defaults = Settings()
    let blocks = settings.map { setting in
      "# \(setting.field.summary)\n#\(setting.field.key): \(setting.write(defaults))\n"
    }
    return """
      # yaml-language-server: $schema=../docs/schema/settings.schema.json
      # The settings of this workspace, each with its default: take away the `#` before a key to change it.
      # Times and sizes carry their unit: 250ms, 90s, 1h30m; 10MiB, 2GB. \
      `penstock check` tells what is wrong with this file.


      """ + blocks.joined(separator: "\n")
  }
}

/// Reads settings; what the file leaves out keeps its default.
package struct SettingsDecoder {
  package private(set) var findings = Findings()

  package init() {}

  /// Whatever is wrong is left at its default, and told in `findings`.
  package mutating func decode(_ root: Node) -> Settings {
    var settings = Settings()
    if root.isNull { return settings }
    var check = ShapeCheck()
    check.check(root, .record(SettingsShape.root), "the settings")
    findings.add(check.findings)
    for setting in SettingsShape.settings {
      guard let node = root[setting.field.key] else { continue }
      setting.read(node, &settings)
    }
    return findings.hasErrors ? Settings() : settings
  }
}
