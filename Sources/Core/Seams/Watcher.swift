/// Tells that something may have happened; the scan is the truth.
package protocol Watcher: Sendable {
  /// Takes what was noticed since the last call; does not wait.
  func hints() -> WatchHints

  /// What is wrong with watching, in words, and since when; empty while all is well.
  func troubles() -> [String]
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
