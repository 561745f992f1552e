/// What `watch` in the settings says.
package enum WatchSetting: String, Sendable, CaseIterable {
  /// By events where the kernel sees every change, else by polling.
  case auto
  /// By polling, whatever the kernel sees.
  case poll
}

/// How new drops are found.
package enum WatchMode: Sendable, Equatable {
  case events
  /// The inbox is looked at every so often: why.
  case polling(every: Duration, because: String)

  /// Decides by what is known of the inbox.
  /// - Parameter refusal: why the kernel gives no events, where it gives none.
  package static func choose(
    _ setting: WatchSetting, filesystem: Filesystem, refusal: String?, poll: Duration
  ) -> WatchMode {
    if setting == .poll { return .polling(every: poll, because: "`watch: poll` says so") }
    if filesystem.isRemote {
      return .polling(every: poll, because: "it is on \(filesystem.name), where others may write unseen by this kernel")
    }
    if let refusal { return .polling(every: poll, because: refusal) }
    return .events
  }

  package var words: String {
    switch self {
    case .events: "by events of the kernel"
    case .polling(let time, let reason): "every \(Quantity.spelled(time)): \(reason)"
    }
  }
}

/// How watching goes, for `status` and `doctor`.
package struct WatchReport: Sendable, Equatable {
  package var mode: WatchMode
  /// What the inbox lies on.
  package var filesystem: Filesystem
  /// Times the kernel's queue was full, so that events were lost and the whole inbox was looked at.
  package var overflows: Int
  /// Times another directory took the place of the inbox.
  package var replacements: Int
  /// What is wrong, in words; empty while all is well.
  package var troubles: [String]

  package init(
    mode: WatchMode, filesystem: Filesystem, overflows: Int = 0, replacements: Int = 0, troubles: [String] = []
  ) {
    self.mode = mode
    self.filesystem = filesystem
    self.overflows = overflows
    self.replacements = replacements
    self.troubles = troubles
  }
}
