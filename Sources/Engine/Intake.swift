package import Core
import Foundation
import Synchronization

/// From names in the inbox to recorded runs.
///
/// Events are hints and the scan is the truth; a drop is claimed in the durable order of faults.md 5.1: settle,
/// lease, rename, sync, then one transaction.
package final class Intake: Sendable {
  private struct State {
    var candidates: Candidates
    var shortage: Shortage?
    /// While something is short nothing is tried before this.
    var pausedUntil = Duration.zero
    var sweep: InboxSweep?
    var isStopping = false
    /// Within a step: names looked at, or claimed and not yet recorded.
    var isBusy = false
    var wantsScan = true
  }

  /// Claims of one transaction; also the most looks of one step.
  private static let batch = 256
  /// Runs waiting to begin, above which nothing more is claimed: each takes a place on the disk, and a few bytes here.
  private static let backlog = 1_000_000
  private static let pause = Duration.seconds(5)

  private let bench: Workbench
  private let inbox: any Inbox
  private let watcher: any Watcher
  private let claimer: Claimer
  private let book: PipelineBook
  private let dispatcher: Dispatcher
  private let bell: Bell
  private let state: Mutex<State>
  private let onProgress: @Sendable () -> Void
  private let monotonic: @Sendable () -> Duration

  /// - Parameters:
  ///   - bell: rung when there are hints, or places became free.
  ///   - monotonic: time since any fixed moment, of a clock that nobody sets.
  package init(
    bench: Workbench, inbox: any Inbox, watcher: any Watcher, book: PipelineBook, dispatcher: Dispatcher,
    bell: Bell, monotonic: @escaping @Sendable () -> Duration, onProgress: @escaping @Sendable () -> Void
  ) {
    self.bench = bench
    self.inbox = inbox
    self.watcher = watcher
    self.book = book
    self.dispatcher = dispatcher
    self.bell = bell
    self.monotonic = monotonic
    self.onProgress = onProgress
    claimer = Claimer(
      bench: bench, book: book, dispatcher: dispatcher, monotonic: monotonic)
    let settings = bench.settings
    let times = Settling.Times(
      moved: settings.settleMoved, written: settings.settle, empty: settings.settleEmpty)
    state = Mutex(State(candidates: Candidates(times: times)))
  }

  // MARK: - What others ask

  /// The pipelines changed: what nobody took may be taken now.
  package func pipelinesChanged() {
    state.withLock { $0.candidates.reconsiderUnmatched(now: monotonic()) }
    bell.ring()
  }

  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// Why nothing is taken in for now; `nil` while all is well.
  package var pauseReason: String? { state.withLock { $0.shortage?.words } }

  var isStopped: Bool { state.withLock { $0.isStopping } }

  /// Whether nothing is on its way in; held and unmatched drops do not count.
  package var isIdle: Bool {
    state.withLock {
      !$0.isBusy && !$0.wantsScan && $0.sweep == nil && !$0.candidates.isSettling && $0.shortage == nil
    }
      && claimer.nextLook == nil
  }

  package struct Ledger: Sendable {
    package var waiting: [(name: FileName, reason: String)]
    package var held: [(name: FileName, reason: String)]
    package var unmatched: [FileName]
    package var paused: Shortage?
    /// How long until a waiting one is looked at again.
    package var left: [FileName: Duration] = [:]
  }

  /// Every name in the inbox that intake knows, and what it waits for.
  package func ledger() -> Ledger {
    let now = monotonic()
    return state.withLock { state in
      var ledger = Ledger(
        waiting: state.candidates.waiting().sorted { $0.name < $1.name },
        held: state.candidates.held.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 },
        unmatched: state.candidates.unmatched.sorted(), paused: state.shortage)
      for (name, _) in ledger.waiting {
        ledger.left[name] = state.candidates.due(name).map { max(.zero, $0 - now) }
      }
      return ledger
    }
  }

  /// Records a drop whose rename a crash left without a row.
  func adopt(_ found: [(id: RunID, name: FileName)]) async throws {
    var quiet: [(id: RunID, drop: ReadyDrop)] = []
    for (id, name) in found {
      switch try bench.spool.look(at: name, of: id) {
      case .gone: continue
      case .special(let kind, let sample):
        quiet.append((id, ReadyDrop(name: name, sample: sample, refusal: "is a \(kind), not a file")))
      case .directory:
        let sample = FileSample(device: 0, inode: 0, bytes: 0, links: 1, modified: 0, changed: 0)
        quiet.append((id, ReadyDrop(name: name, sample: sample, refusal: "is a directory, not a file")))
      case .file(let sample, let openness):
        let route = book.route(name)
        let refusal = route == nil ? "was claimed, and no pipeline takes it any more" : nil
        let drop = ReadyDrop(name: name, sample: sample, route: route, refusal: refusal)
        if openness == .openForWriting { claimer.adoptUnquiet(id, drop) } else { quiet.append((id, drop)) }
      }
    }
    try await claimer.adopt(quiet)
  }

  // MARK: - The loop

  /// - Throws: what the store throws, and a sync that failed: the agent must stop.
  package func run() async throws {
    while !state.withLock({ $0.isStopping }) {
      let wait = try await step()
      onProgress()
      await bell.wait(atMost: wait, on: bench.clock)
      try Task.checkCancellation()
    }
  }

  /// One round: takes hints, looks at what is due, claims what is ready.
  /// - Returns: how long nothing will be due.
  func step() async throws -> Duration? {
    // from before the hints are taken, so that what is known of a drop is never nowhere
    state.withLock { $0.isBusy = true }
    defer { state.withLock { $0.isBusy = false } }
    takeHints()
    let pause = state.withLock { $0.shortage == nil ? .zero : $0.pausedUntil - monotonic() }
    if pause > .zero { return pause }
    if let shortage = shortage() { return self.pause(shortage) }
    guard dispatcher.backlog < Self.backlog else { return nil }
    do { try sweep() } catch let trouble as HostError { return self.pause(.refused(trouble.description)) }
    let due = state.withLock { $0.candidates.takeDue(now: monotonic(), limit: Self.batch) }
    var refusal: HostError?
    let ready = look(at: due, &refusal)
    let claims = try await claimer.claim(ready)
    let stay = Set(claims.held.map(\.0) + claims.left)
    state.withLock { state in
      for drop in ready where !stay.contains(drop.name) { state.candidates.forget(drop.name) }
    }
    for (name, reason) in claims.held { hold(name, reason) }
    lookAgain(at: claims.left)
    if let trouble = claims.shortage ?? refusal { return self.pause(.refused(trouble.description)) }
    resume()
    return nextStep()
  }

  private func nextStep() -> Duration? {
    let settlingAgain = claimer.nextLook
    return state.withLock { state -> Duration? in
      if state.wantsScan || state.sweep != nil && state.candidates.count < InboxSweep.window { return .zero }
      let due = state.candidates.nextDue.map { max(.zero, $0 - monotonic()) }
      return [due, settlingAgain].compactMap { $0 }.min()
    }
  }

  private func takeHints() {
    // what is not taken waits with the watcher, which keeps no more than a scan would find
    guard state.withLock({ $0.candidates.count < InboxSweep.window }) else { return }
    let hints = watcher.hints()
    let now = monotonic()
    state.withLock { state in
      for (name, moved) in hints.names where CandidateName.refusal(of: name) == nil {
        state.candidates.notice(name, moved: moved, now: now)
      }
      // where another inbox may have come, what was short may be there too
      if hints.scanInbox { (state.wantsScan, state.pausedUntil) = (true, .zero) }
    }
  }

  /// Looks at the names there are, as many as may wait at once.
  private func sweep() throws {
    while let sweep = try beginSweep() {
      do {
        let names = try sweep.portion()
        let now = monotonic()
        state.withLock { state in
          if names.isEmpty {
            state.sweep?.end(&state.candidates, now: now)
            state.sweep = nil
          } else {
            state.sweep?.take(names, into: &state.candidates, now: now)
          }
        }
      } catch {
        state.withLock { ($0.sweep, $0.wantsScan) = (nil, true) }
        throw error
      }
    }
  }

  /// The sweep to go on with; `nil` where none is wanted, or enough wait already.
  private func beginSweep() throws -> InboxSweep? {
    let (under, wants) = state.withLock { state in
      let isFull = state.candidates.count >= InboxSweep.window
      return (isFull ? nil : state.sweep, !isFull && state.sweep == nil && state.wantsScan)
    }
    guard wants else { return under }
    let names = try inbox.names()
    return state.withLock { state in
      state.wantsScan = false
      state.sweep = InboxSweep(of: names, state.candidates)
      return state.sweep
    }
  }

  /// - Parameter refusal: what the inbox said where it could not be looked at; the rest is then looked at later.
  private func look(at names: [FileName], _ refusal: inout HostError?) -> [ReadyDrop] {
    var ready: [ReadyDrop] = []
    for (index, name) in names.enumerated() {
      do {
        if let drop = judge(name, try inbox.look(at: name)) { ready.append(drop) }
      } catch {
        lookAgain(at: Array(names[index...]))
        refusal = error as? HostError ?? HostError("\(error)")
        break
      }
    }
    return ready
  }

  private func lookAgain(at names: [FileName]) {
    if names.isEmpty { return }
    state.withLock { $0.candidates.lookAgain(at: names, now: monotonic()) }
  }

  private func judge(_ name: FileName, _ sighting: Sighting) -> ReadyDrop? {
    let now = monotonic()
    switch sighting {
    case .gone:
      state.withLock { $0.candidates.forget(name) }
      return nil
    case .directory:
      hold(name, "is a directory; drop files, not directories")
      return nil
    case .special(let kind, let sample):
      return ReadyDrop(name: name, sample: sample, refusal: "is a \(kind), not a file with content of its own")
    case .file(let sample, let openness):
      guard let route = book.route(name) else {
        leaveUnmatched(name)
        return nil
      }
      if sample.links > 1 {
        hold(name, "has \(sample.links) hard links: it could still be changed under another name; drop a copy")
        return nil
      }
      let isReady = state.withLock { $0.candidates.looked(at: name, sample, openness, now: now) }
      return isReady ? ReadyDrop(name: name, sample: sample, route: route) : nil
    }
  }

  private func hold(_ name: FileName, _ reason: String) {
    let isNew = state.withLock { $0.candidates.hold(name, reason) }
    if isNew { bench.say(.dropHeld(name, reason: reason)) }
  }

  private func leaveUnmatched(_ name: FileName) {
    let isNew = state.withLock { state in
      // asked again in the lock: pipelines that changed since are then either seen here or see the name there
      if book.route(name) != nil {
        state.candidates.notice(name, moved: false, now: monotonic())
        return false
      }
      return state.candidates.leaveUnmatched(name)
    }
    if isNew {
      bench.say(.dropUnmatched(name, nearest: Routing.nearest(to: name, among: book.versions)))
    }
  }

  // MARK: - Pausing

  private func shortage() -> Shortage? {
    do {
      if let short = Shortage(of: try bench.spool.room(), at: "var/", reserve: bench.settings.reserve) { return short }
      return try inbox.isReadOnly() ? .readOnly("inbox/") : nil
    } catch {
      return .refused("\(error)")
    }
  }

  /// - Returns: when to look again whether it is over.
  private func pause(_ shortage: Shortage) -> Duration {
    let isNews = state.withLock { state in
      defer { (state.shortage, state.pausedUntil) = (shortage, monotonic() + Self.pause) }
      return state.shortage.map { !$0.isSameKind(as: shortage) } ?? true
    }
    if isNews { bench.say(.intakePaused(reason: shortage.words)) }
    return Self.pause
  }

  private func resume() {
    let wasPaused = state.withLock { state in
      defer { state.shortage = nil }
      return state.shortage != nil
    }
    if wasPaused { bench.say(.intakeResumed) }
  }
}
