package import Core
import Glibc
import Synchronization

/// Watches the inbox and the directories of the configuration by inotify(7), and looks at the inbox itself from
/// time to time.
///
/// The regular look stays on the reactor's thread and says nothing where nothing changed, so an idle agent
/// wakes once in that time and no more.
package final class InotifyWatcher: Watcher {
  private struct State {
    var hints = WatchHints(scanInbox: true)
    var inboxWatch: Int32 = -1
    var configWatches: [Int32: String] = [:]
    var troubles: [String] = []
    var inventory: Inventory?
    var registration: Reactor.Registration?
    /// The inbox is gone, and it is looked for.
    var isSeeking = false
    var isStopped = false
  }

  /// The names of the inbox in a number, whatever their order.
  private struct Inventory: Equatable {
    var count = 0
    var sum: UInt64 = 0
  }

  package struct Calls: Sendable {
    var inbox: @Sendable () -> Void
    var configs: @Sendable () -> Void

    package init(inbox: @escaping @Sendable () -> Void, configs: @escaping @Sendable () -> Void) {
      self.inbox = inbox
      self.configs = configs
    }
  }

  private static let inboxEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF
  private static let configEvents =
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB
  /// Without events the inbox is polled.
  private static let pollTime = Duration.seconds(5)
  /// An inbox that is gone is looked for.
  private static let seekTime = Duration.seconds(1)
  private static let inboxGone = "the inbox is gone: put a directory in its place, and it is watched again"

  private let reactor: Reactor
  private let place: InboxPlace
  private let configRoots: [String]
  private let rescan: Duration
  private let calls: Calls
  private let fd: Int32
  private let state = Mutex(State())

  /// Begins to watch; the first hint is to scan.
  /// - Parameter configRoots: watched with the directories in them, hidden ones apart.
  package init(reactor: Reactor, spool: WorkspaceSpool, configRoots: [String], rescan: Duration, calls: Calls) throws {
    self.reactor = reactor
    self.place = spool.place
    self.configRoots = configRoots
    self.rescan = rescan
    self.calls = calls
    fd = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    if fd < 0 {
      note(trouble: "inotify cannot be used (\(Self.limit(errno, "max_user_instances"))): polling every 5 s")
    } else {
      watchInbox()
      watchConfigs()
      let registration = try reactor.register(fd, for: .readable) { [weak self] _ in self?.read() }
      state.withLock { $0.registration = registration }
    }
    tick()
  }

  deinit { if fd >= 0 { close(fd) } }

  package func stop() {
    let registration = state.withLock { state in
      state.isStopped = true
      return state.registration
    }
    if let registration { reactor.cancel(registration) }
  }

  package func hints() -> WatchHints {
    state.withLock { state in
      defer { state.hints = WatchHints() }
      return state.hints
    }
  }

  package func troubles() -> [String] { state.withLock { $0.troubles } }

  // MARK: - Watching

  private func watchInbox() {
    guard fd >= 0 else { return }
    let watch = inotify_add_watch(fd, place.path, UInt32(Self.inboxEvents))
    if watch < 0 {
      note(trouble: "the inbox cannot be watched (\(Self.limit(errno, "max_user_watches"))): polling every 5 s")
    }
    state.withLock { $0.inboxWatch = watch }
  }

  private func watchConfigs() {
    for root in configRoots { watchConfigs(below: root, depth: 0) }
  }

  private func watchConfigs(below path: String, depth: Int) {
    guard depth < 8, let directory = try? Directory(path: path) else { return }
    let watch = inotify_add_watch(fd, path, UInt32(Self.configEvents))
    if watch < 0 {
      note(trouble: "`\(path)` cannot be watched (\(Self.limit(errno, "max_user_watches"))): restart after changes")
      return
    }
    state.withLock { $0.configWatches[watch] = path }
    var inner: [String] = []
    try? directory.forEachName { name in
      guard let text = name.text, !text.hasPrefix("."), text != "src", text != "tests" else { return }
      inner.append(path + "/" + text)
    }
    for path in inner.sorted() {
      var status = stat()
      if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { watchConfigs(below: path, depth: depth + 1) }
    }
  }

  /// The words of an errno, with the limit that may be behind it.
  private static func limit(_ code: Int32, _ name: String) -> String {
    let words = String(cString: strerror(code))
    guard code == ENOSPC || code == EMFILE else { return words }
    return "limit reached: raise it with `sysctl fs.inotify.\(name)=…`"
  }

  private func note(trouble: String) {
    state.withLock { if !$0.troubles.contains(trouble) { $0.troubles.append(trouble) } }
  }

  // MARK: - On the reactor's thread

  private func read() {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let got = Glibc.read(fd, &buffer, buffer.count)
      guard got > 0 else { return }
      take(InotifyEvent.parse(buffer[..<got]))
    }
  }

  private func take(_ events: [InotifyEvent]) {
    var touchesInbox = false
    var touchesConfigs = false
    var mayBeReplaced = false
    state.withLock { state in
      for event in events {
        if event.has(IN_Q_OVERFLOW) {
          state.hints.scanInbox = true
          state.hints.configs = true
          (touchesInbox, touchesConfigs) = (true, true)
        } else if event.watch == state.inboxWatch {
          touchesInbox = true
          if event.name.bytes.isEmpty {
            state.hints.scanInbox = true
            // we hold it open, so its removal shows as a change of its links and not as IN_DELETE_SELF
            mayBeReplaced = true
          } else {
            state.hints.names[event.name] = event.has(IN_MOVED_TO)
          }
        } else if state.configWatches[event.watch] != nil {
          touchesConfigs = true
          state.hints.configs = true
        }
      }
    }
    if touchesConfigs {
      watchConfigs()
      calls.configs()
    }
    if mayBeReplaced { attach() }
    if touchesInbox { calls.inbox() }
  }

  /// Watches the directory that lies at the inbox's path now; looks for one while there is none.
  private func attach() {
    if state.withLock({ $0.isStopped }) { return }
    switch place.attach() {
    case .same:
      state.withLock { $0.troubles.removeAll { $0 == Self.inboxGone } }
      // the watch of a directory that was moved away and back is still there; a mount over it took ours away
      watchInbox()
    case .replaced:
      let old = state.withLock { state in
        state.troubles.removeAll { $0 == Self.inboxGone }
        state.hints.scanInbox = true
        return state.inboxWatch
      }
      if old >= 0 { inotify_rm_watch(fd, old) }
      watchInbox()
      calls.inbox()
    case .missing:
      note(trouble: Self.inboxGone)
      let mustSeek = state.withLock { state in
        defer { state.isSeeking = true }
        return !state.isSeeking
      }
      if mustSeek { seek() }
    }
  }

  private func seek() {
    _ = reactor.after(Self.seekTime) { [weak self] in
      guard let self else { return }
      if state.withLock({ $0.isStopped }) { return }
      if access(place.path, F_OK) != 0 { return seek() }
      state.withLock { $0.isSeeking = false }
      attach()
    }
  }

  private func tick() {
    let isBlind = state.withLock { $0.inboxWatch < 0 }
    if state.withLock({ $0.isStopped }) { return }
    _ = reactor.after(isBlind ? Self.pollTime : rescan) { [weak self] in self?.tick() }
    attach()
    guard let inventory = inventory() else { return }
    let isWorthALook = state.withLock { state -> Bool in
      defer { state.inventory = inventory }
      // what is held may have become a drop without any event: a second link that is gone is one
      if state.inventory == inventory, inventory.count == 0 { return false }
      state.hints.scanInbox = true
      return true
    }
    if isWorthALook { calls.inbox() }
  }

  private func inventory() -> Inventory? {
    var inventory = Inventory()
    let isRead: Void? = try? place.directory.forEachName { name in
      inventory.count += 1
      // FNV-1a, 64 bits
      inventory.sum &+= name.bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
    return isRead == nil ? nil : inventory
  }
}
