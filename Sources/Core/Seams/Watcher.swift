/// Tells that something may have happened; the scan is the truth.
package protocol Watcher: Sendable {
  /// Takes what was noticed since the last call; waits for nothing but a slow filesystem.
  func hints() -> WatchHints

  /// How watching goes.
  func report() -> WatchReport
}

/// What befell the watching, for the log.
package enum WatchNews: Sendable, Equatable {
  case troubled(String)
  /// A trouble that is over.
  case mended(String)
  /// Another directory lies at the inbox's path.
  case replaced
  /// The kernel's queue was full: so many times since the start.
  case overflowed(Int)
  /// The inbox is found by other means than before.
  case mode(WatchMode)
}

/// What a watcher noticed.
package struct WatchHints: Sendable, Equatable {
  /// Names in the inbox; true where the last thing seen of it was a rename to this name.
  package var names: [FileName: Bool]
  /// Look at the whole inbox: at the start, from time to time, and when events were lost.
  package var scanInbox: Bool
  /// Files of pipelines, hooks, stages or settings changed.
  package var configs: Bool

  package init(names: [FileName: Bool] = [:], scanInbox: Bool = false, configs: Bool = false) {
    self.names = names
    self.scanInbox = scanInbox
    self.configs = configs
  }

  package var isEmpty: Bool { names.isEmpty && !scanInbox && !configs }
}
