import Core
import Glibc
import Synchronization

/// Tells when a path may lead to another directory than before: something on its way was moved, removed or made, or
/// a filesystem was mounted or unmounted.
///
/// Each directory on the way is watched for its own moving only, so what others do in them wakes nobody; the last one
/// but the inbox, and the one in which something is missing, are watched for that one name.
final class PathWatch: Sendable {
  private struct State {
    var queue: InotifyQueue?
    /// By watch: the name in that directory that matters; `nil` where only the directory itself does.
    var names: [Int32: String?] = [:]
    var isSeeing = false
    var mounts: Reactor.Registration?
    var isStopped = false
  }

  private static let own = UInt32(IN_MOVE_SELF | IN_DELETE_SELF) | dontFollow
  private static let entries = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
  private static let dontFollow: UInt32 = 0x0200_0000
  /// A way that changes while it is looked at is looked at again.
  private static let tries = 8

  private let reactor: Reactor
  private let path: String
  private let changed: @Sendable () -> Void
  private let mountinfo: Descriptor
  private let state = Mutex(State())

  /// - Parameters:
  ///   - path: absolute.
  ///   - changed: called on the reactor's thread.
  init(reactor: Reactor, path: String, changed: @escaping @Sendable () -> Void) {
    self.reactor = reactor
    self.path = path
    self.changed = changed
    mountinfo = Descriptor(owning: open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC))
    // proc(5): a change of the mounts shows as an error and urgent data, which are told without being asked for
    let mounts = try? reactor.register(mountinfo.number, for: .ended) { [changed] _ in changed() }
    state.withLock { $0.mounts = mounts }
    refresh()
  }

  /// Whether the kernel tells of every change; where not, someone must look from time to time.
  var isSeeing: Bool { state.withLock { $0.isSeeing && $0.mounts != nil } }

  func stop() {
    let (queue, mounts) = state.withLock { state in
      state.isStopped = true
      state.names = [:]
      defer { (state.queue, state.mounts) = (nil, nil) }
      return (state.queue, state.mounts)
    }
    queue?.stop()
    if let mounts { reactor.cancel(mounts) }
    mountinfo.close()
  }

  /// Watches the way as it is now; to be called after each change, and where it did not see all.
  func refresh() {
    state.withLock { state in
      if state.isStopped { return }
      if state.queue == nil {
        state.queue = try? InotifyQueue(reactor: reactor) { [weak self] events in self?.take(events) }
      }
      guard let queue = state.queue else { return }
      var steps = PathSteps(of: path, look: Self.look)
      for _ in 0..<Self.tries {
        state.isSeeing = watch(steps, queue, &state.names)
        let now = PathSteps(of: path, look: Self.look)
        if now == steps { return }
        steps = now
      }
      state.isSeeing = false
    }
  }

  /// - Returns: false where a watch was refused.
  private func watch(_ steps: PathSteps, _ queue: InotifyQueue, _ names: inout [Int32: String?]) -> Bool {
    var wanted = steps.steps.map { (path: $0.path, name: String?.none) }
    if let missing = steps.missing { wanted.append((steps.lastDirectory, missing)) }
    if let parent = steps.parent { wanted.append((parent.directory, parent.name)) }
    var watches: [Int32: String?] = [:]
    var isWhole = true
    for (path, name) in wanted {
      // the later one of the same directory has the name, and its mask holds the other's
      let events = name == nil ? Self.own | UInt32(IN_ATTRIB) * (isLink(path, steps) ? 1 : 0) : Self.own | Self.entries
      do { watches[try queue.watch(path, for: events)] = .some(name) } catch { isWhole = false }
    }
    for old in names.keys where watches[old] == nil { queue.forget(old) }
    names = watches
    return isWhole
  }

  private func isLink(_ path: String, _ steps: PathSteps) -> Bool {
    steps.steps.contains { $0.path == path && $0.isLink }
  }

  private func take(_ events: [InotifyEvent]) {
    let matters = state.withLock { state in
      var matters = false
      for event in events {
        if event.has(IN_Q_OVERFLOW) { matters = true }
        guard let name = state.names[event.watch] else { continue }
        if event.has(IN_IGNORED) { state.names[event.watch] = nil }
        if event.name.bytes.isEmpty || name.map({ FileName($0) == event.name }) == true { matters = true }
      }
      return matters
    }
    if matters { changed() }
  }

  private static func look(_ path: String) -> PathSteps.Found {
    if let target = Link.target(of: path) { return .link(to: String(decoding: target.bytes, as: UTF8.self)) }
    return errno == EINVAL ? .directory : .nothing
  }
}
