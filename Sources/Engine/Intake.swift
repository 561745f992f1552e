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
    var paused: String?
    var isStopping = false
    /// Within a step: names looked at, or claimed and not yet recorded.
    var isBusy = false
    var wantsScan = true
  }

  /// Claims of one transaction; also the most looks of one step.
  private static let batch = 256
  /// Runs waiting to begin, above which nothing more is claimed.
  private static let backlog = 10_000
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
  package var pauseReason: String? { state.withLock { $0.paused } }

  var isStopped: Bool { state.withLock { $0.isStopping } }

  /// Whether nothing is on its way in; held and unmatched drops do not count.
  package var isIdle: Bool {
    state.withLock { !$0.isBusy && !$0.wantsScan && !$0.candidates.isSettling && $0.paused == nil }
      && claimer.nextLook == nil
  }

  package struct Ledger: Sendable {
    package var waiting: [(name: FileName, reason: String)]
    package var held: [(name: FileName, reason: String)]
    package var unmatched: [FileName]
    package var paused: String?
  }

  /// Every name in the inbox that intake knows, and what it waits for.
  package func ledger() -> Ledger {
    state.withLock { state in
      Ledger(
        waiting: state.candidates.waiting().sorted { $0.name < $1.name },
        held: state.candidates.held.map { ($0.key, $0.value) }.sorted { $0.0 < $1.0 },
        unmatched: state.candidates.unmatched.sorted(), paused: state.paused)
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
    let now = monotonic()
    if let trouble = trouble() {
      pause(trouble)
      return Self.pause
    }
    resume()
    guard dispatcher.backlog < Self.backlog else { return nil }
    let due = state.withLock { $0.candidates.takeDue(now: now, limit: Self.batch) }
    let ready = look(at: due)
    let deferred = try await claimer.claim(ready)
    state.withLock { state in
      let stay = Set(deferred.map(\.0))
      for drop in ready where !stay.contains(drop.name) { state.candidates.forget(drop.name) }
    }
    for (name, reason) in deferred { hold(name, reason) }
    return nextStep()
  }

  private func nextStep() -> Duration? {
    let settlingAgain = claimer.nextLook
    return state.withLock { state -> Duration? in
      if state.wantsScan { return .zero }
      let due = state.candidates.nextDue.map { max(.zero, $0 - monotonic()) }
      return [due, settlingAgain].compactMap { $0 }.min()
    }
  }

  private func takeHints() {
    let hints = watcher.hints()
    let now = monotonic()
    let scan = state.withLock { state -> Bool in
      for (name, moved) in hints.names where CandidateName.refusal(of: name) == nil {
        state.candidates.notice(name, moved: moved, now: now)
      }
      defer { state.wantsScan = false }
      return hints.scanInbox || state.wantsScan
    }
    if scan { self.scan(now: now) }
  }

  /// Looks at every name there is; what is known already keeps its place in the settling.
  private func scan(now: Duration) {
    var present: Set<FileName> = []
    do {
      try inbox.forEachName { name in
        guard CandidateName.refusal(of: name) == nil else { return }
        present.insert(name)
        state.withLock { state in
          if !state.candidates.knows(name) { state.candidates.notice(name, moved: nil, now: now) }
        }
      }
      state.withLock { state in
        state.candidates.keepOnly(present)
        state.candidates.reconsiderHeld(now: now)
      }
    } catch {
      bench.say(.watchTroubled("\(error)"))
    }
  }

  private func look(at names: [FileName]) -> [ReadyDrop] {
    names.compactMap { name in
      do {
        let sighting = try inbox.look(at: name)
        return judge(name, sighting)
      } catch {
        hold(name, "\(error)")
        return nil
      }
    }
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

  private func trouble() -> String? {
    do {
      let free = try bench.spool.freeBytes()
      if free < bench.settings.reserve {
        return "only \(Quantity.text(bytes: free)) free, less than the reserve of "
          + Quantity.text(bytes: bench.settings.reserve)
      }
      return nil
    } catch { return "\(error)" }
  }

  private func pause(_ reason: String) {
    let isNew = state.withLock { state in
      defer { state.paused = reason }
      return state.paused == nil
    }
    if isNew { bench.say(.intakePaused(reason: reason)) }
  }

  private func resume() {
    let wasPaused = state.withLock { state in
      defer { state.paused = nil }
      return state.paused != nil
    }
    if wasPaused { bench.say(.intakeResumed) }
  }
}
