package import Core
import Glibc
import Synchronization

/// Watches the inbox and the directories of the configuration: by inotify(7) where the kernel sees every change, else
/// by looking at the inbox often; and looks at it whole from time to time whatever the events say.
///
/// The regular look stays on the reactor's thread and says nothing where nothing changed, so an idle agent wakes once
/// in that time and no more. What may wait for a server is left to the thread that asks for the hints.
package final class InotifyWatcher: Watcher {
  package struct Calls: Sendable {
    var inbox: @Sendable () -> Void
    var configs: @Sendable () -> Void
    var tell: @Sendable (WatchNews) -> Void

    package init(
      inbox: @escaping @Sendable () -> Void, configs: @escaping @Sendable () -> Void,
      tell: @escaping @Sendable (WatchNews) -> Void = { _ in }
    ) {
      self.inbox = inbox
      self.configs = configs
      self.tell = tell
    }
  }

  private static let inboxEvents = UInt32(
    IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
  /// Where the kernel does not tell whether the path still leads to the inbox, it is looked at as often.
  private static let blindTime = Duration.seconds(5)

  private let reactor: Reactor
  private let place: InboxPlace
  private let configs: ConfigWatch
  private let settings: Settings
  private let calls: Calls
  private let state = Mutex(WatchState())
  private let way = Mutex<PathWatch?>(nil)

  /// Begins to watch; the first hint is to scan.
  /// - Parameter configRoots: watched with the directories in them, hidden ones apart.
  package init(
    reactor: Reactor, spool: WorkspaceSpool, configRoots: [String], settings: Settings, calls: Calls
  ) {
    self.reactor = reactor
    place = spool.place
    configs = ConfigWatch(roots: configRoots)
    self.settings = settings
    self.calls = calls
    let watch = PathWatch(reactor: reactor, path: place.path) { [weak self] in self?.pathChanged() }
    way.withLock { $0 = watch }
    watchAgain()
    keepTime()
  }

  package func stop() {
    let queue = state.withLock { state in
      state.isStopped = true
      defer { state.queue = nil }
      return state.queue
    }
    queue?.stop()
    way.withLock { $0?.stop() }
  }

  package func hints() -> WatchHints {
    let mustAttach = state.withLock { state in
      defer { state.mustAttach = false }
      return state.mustAttach
    }
    if mustAttach { attach() }
    return state.withLock { state in
      defer { state.hints = WatchHints() }
      return state.hints
    }
  }

  package func report() -> WatchReport { state.withLock { $0.report(on: place.filesystem) } }

  // MARK: - Watches

  /// Makes what watches are missing and decides how the inbox is watched.
  private func watchAgain() {
    let (news, isBlind) = state.withLock { state -> ([WatchNews], Bool) in
      if state.isStopped { return ([], false) }
      var news: [WatchNews] = []
      var refusal: SystemError?
      do {
        let queue = try state.queue ?? InotifyQueue(reactor: reactor) { [weak self] events in self?.take(events) }
        state.queue = queue
        state.inboxWatch = -1
        if settings.watch == .auto { state.inboxWatch = try queue.watch(place.path, for: Self.inboxEvents) }
      } catch { refusal = error as? SystemError }
      let configRefusal = state.queue.map { configs.refresh($0) } ?? refusal
      let isGone = [ENOENT, ENOTDIR].contains(refusal?.code)
      let words = isGone ? nil : refusal.map { InotifyLimit.words($0) }
      let mode = WatchMode.choose(
        settings.watch, filesystem: place.filesystem, refusal: words, poll: settings.poll)
      if mode != state.mode { news.append(.mode(mode)) }
      state.mode = mode
      let rhythm = Quantity.spelled(settings.poll)
      news += state.set(.events, words.map { "the inbox is looked at every \(rhythm): \($0)" })
      news += state.set(
        .configs,
        configRefusal.map { "pipelines are read again every \(rhythm): \(InotifyLimit.words($0))" })
      return (news, configRefusal != nil)
    }
    news.forEach(calls.tell)
    if isBlind { calls.configs() }
  }

  /// Looks where the path of the inbox leads now, and watches that.
  private func attach() {
    way.withLock { $0?.refresh() }
    let standing = place.attach()
    let news = state.withLock { state -> [WatchNews] in
      if state.isStopped { return [] }
      switch standing {
      case .missing:
        return state.set(.inbox, "the inbox is gone: put a directory at `\(Display.escaped(place.path))`")
      case .same:
        let news = state.set(.inbox, nil)
        if !news.isEmpty { state.hints.scanInbox = true }
        return news
      case .replaced:
        state.replacements += 1
        state.hints.scanInbox = true
        if state.inboxWatch >= 0 { state.queue?.forget(state.inboxWatch) }
        return state.set(.inbox, nil) + [.replaced]
      }
    }
    news.forEach(calls.tell)
    // the watch of one that was moved away and back is still there, that of one that was unmounted is not
    watchAgain()
    keepTime()
    if !news.isEmpty { calls.inbox() }
  }

  // MARK: - On the reactor's thread

  private func pathChanged() {
    if place.filesystem.isRemote {
      state.withLock { $0.mustAttach = true }
      calls.inbox()
    } else {
      attach()
    }
  }

  private func take(_ events: [InotifyEvent]) {
    var (touchesInbox, touchesConfigs, mayBeReplaced) = (false, false, false)
    var pacing: Duration?
    state.withLock { state in
      for event in events {
        if event.has(IN_Q_OVERFLOW) {
          pacing = state.overflows.overflowed(at: Machine.monotonic())
          state.hints.configs = true
          touchesConfigs = true
        } else if event.watch == state.inboxWatch {
          if event.name.bytes.isEmpty {
            (mayBeReplaced, touchesInbox) = (true, true)
            state.hints.scanInbox = true
          } else if CandidateName.refusal(of: event.name) == nil {
            touchesInbox = true
            state.note(event.name, moved: event.has(IN_MOVED_TO))
          }
        } else if configs.has(event.watch) {
          touchesConfigs = true
          state.hints.configs = true
        }
      }
    }
    if touchesConfigs {
      watchAgain()
      calls.configs()
    }
    if let pacing { scan(after: pacing) }
    if mayBeReplaced { pathChanged() }
    if touchesInbox { calls.inbox() }
  }

  private func scan(after time: Duration) {
    calls.tell(.overflowed(state.withLock { $0.overflows.count }))
    _ = reactor.after(time) { [weak self] in
      self?.state.withLock { $0.hints.scanInbox = true }
      self?.calls.inbox()
    }
  }

  /// Sets the time of the regular look, where another is due than before.
  private func keepTime(anew: Bool = false) {
    let isSeeing = way.withLock { $0?.isSeeing ?? false }
    state.withLock { state in
      var rhythm = settings.rescan
      if case .polling(let time, _) = state.mode { rhythm = min(time, rhythm) }
      if !isSeeing || state.has(.configs) { rhythm = min(rhythm, Self.blindTime) }
      if state.isStopped || rhythm == state.rhythm && !anew { return }
      if let alarm = state.alarm { reactor.cancel(alarm) }
      state.rhythm = rhythm
      state.alarm = reactor.after(rhythm) { [weak self] in self?.look() }
    }
  }

  private func look() {
    if state.withLock({ $0.isStopped }) { return }
    keepTime(anew: true)
    if place.filesystem.isRemote {
      state.withLock { ($0.mustAttach, $0.hints.scanInbox) = (true, true) }
      return calls.inbox()
    }
    attach()
    // what is held may have become a drop without any event: a second link that is gone is one
    let isEmpty = place.isEmpty
    let isWorthALook = state.withLock { state -> Bool in
      defer { state.wasEmpty = isEmpty }
      if isEmpty, state.wasEmpty { return false }
      state.hints.scanInbox = true
      return true
    }
    if isWorthALook { calls.inbox() }
  }
}
