import Core

/// What a watcher knows, under its lock.
struct WatchState {
  enum Trouble: Int, Hashable { case inbox, events, configs }

  /// More names than these are left to a scan.
  private static let mostNames = 16_384

  var hints = WatchHints(scanInbox: true)
  var queue: InotifyQueue?
  var inboxWatch: Int32 = -1
  var mode = WatchMode.events
  private(set) var troubles: [Trouble: String] = [:]
  var overflows = OverflowPacing()
  var replacements = 0
  var wasEmpty = false
  var alarm: Reactor.Alarm?
  /// The time between two regular looks.
  var rhythm = Duration.zero
  /// The path of the inbox is to be looked at by whoever asks for the hints.
  var mustAttach = false
  var isStopped = false

  /// Notes a trouble or its end; what is news of it.
  mutating func set(_ trouble: Trouble, _ words: String?) -> [WatchNews] {
    let before = troubles[trouble]
    troubles[trouble] = words
    switch (before, words) {
    case (nil, let words?): return [.troubled(words)]
    case (let before?, nil): return [.mended(before)]
    default: return []
    }
  }

  func has(_ trouble: Trouble) -> Bool { troubles[trouble] != nil }

  /// Notes a name; one too many is left to a scan.
  mutating func note(_ name: FileName, moved: Bool) {
    let isRoom = hints.names.count < Self.mostNames || hints.names[name] != nil
    if isRoom { hints.names[name] = moved } else { hints.scanInbox = true }
  }

  func report(on filesystem: Filesystem) -> WatchReport {
    WatchReport(
      mode: mode, filesystem: filesystem, overflows: overflows.count, replacements: replacements,
      troubles: troubles.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value))
  }
}
