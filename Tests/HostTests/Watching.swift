import Core
import Foundation
import Glibc
import Synchronization

@testable import Host

/// A watcher at work on an inbox of its own; whatever it rings or tells is one signal to wait for.
final class Watching {
  let place: Spooled
  let watcher: InotifyWatcher
  private let reactor: Reactor
  private let told = Told()
  private let signals: AsyncStream<Void>
  /// All hints so far.
  private(set) var seen = WatchHints()

  /// - Parameters:
  ///   - rescan: so long by default that nothing is found by the regular look.
  ///   - way: the inbox's path; `nil` for the plain directory of `place`.
  init(
    _ place: Spooled, rescan: Duration = .seconds(3600), watch: WatchSetting = .auto, poll: Duration = .seconds(3600),
    configRoots: [String] = [], way: String? = nil, kind: @escaping @Sendable (UInt32) -> Filesystem = Filesystem.init
  ) throws {
    self.place = place
    reactor = try Reactor()
    var settings = Settings()
    (settings.rescan, settings.watch, settings.poll) = (rescan, watch, poll)
    let (stream, ring) = AsyncStream<Void>.makeStream()
    signals = stream
    let told = told
    let inbox = try InboxPlace(path: way ?? place.path("inbox"), kind: kind)
    watcher = InotifyWatcher(
      reactor: reactor, spool: try WorkspaceSpool(place: inbox, varPath: place.path("var")),
      configRoots: configRoots, settings: settings,
      calls: .init(
        inbox: { ring.yield() }, configs: { ring.yield() },
        tell: { news in
          told.all.withLock { $0.append(news) }
          ring.yield()
        }))
  }

  deinit {
    watcher.stop()
    reactor.stop()
  }

  var news: [WatchNews] { told.all.withLock { $0 } }

  /// Returns when it holds, asked anew after each signal.
  func until(_ condition: () throws -> Bool) async rethrows {
    var signals = signals.makeAsyncIterator()
    while true {
      let hints = watcher.hints()
      seen.names.merge(hints.names) { _, last in last }
      seen.scanInbox = seen.scanInbox || hints.scanInbox
      seen.configs = seen.configs || hints.configs
      if try condition() { return }
      await signals.next()
    }
  }

  /// Forgets the hints so far.
  func forget() {
    _ = watcher.hints()
    seen = WatchHints()
  }

  /// Keeps the reactor from reading events while `body` works.
  func blockReactor(until body: () -> Void) {
    let (entered, left) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    reactor.perform {
      entered.signal()
      left.wait()
    }
    entered.wait()
    body()
    left.signal()
  }

  /// Runs a shell line; throws what it complained of.
  static func shell(_ line: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", line]
    let complaints = Pipe()
    process.standardError = complaints
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Unmet(words: String(decoding: complaints.fileHandleForReading.availableData, as: UTF8.self))
    }
  }
}

private final class Told: Sendable {
  let all = Mutex<[WatchNews]>([])
}
