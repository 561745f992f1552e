package import Core
import Foundation
import Store
import Synchronization

/// From names in the inbox to recorded runs.
///
/// Events are hints and the scan is the truth; a drop is claimed in the durable order of faults.md 5.1: settle,
/// lease, rename, sync, then one transaction.
package final class Intake: Sendable {
  struct State {
    var candidates: Candidates
    var pause = IntakePause()
    var sweep: InboxSweep?
    var isStopping = false
    /// Within a step: names looked at, or claimed and not yet recorded.
    var isBusy = false
    var wantsScan = true
    /// Nothing could be claimed the last time, whatever the drop: why.
    var claimTrouble: String?
    /// Names of transfers that came to no end, and what to say of them.
    var ageing: [FileName: String] = [:]
    var isSkewTold = false
  }

  /// Claims of one transaction; also the most looks of one step.
  private static let batch = 256
  /// Runs waiting to begin, above which nothing more is claimed: each takes a place on the disk, and a few bytes here.
  private static let backlog = 1_000_000

  let bench: Workbench
  let inbox: any Inbox
  private let watcher: any Watcher
  private let claimer: Claimer
  let copier: Copier
  let book: PipelineBook
  private let dispatcher: Dispatcher
  private let bell: Bell
  let state: Mutex<State>
  private let onProgress: @Sendable () -> Void
  let monotonic: @Sendable () -> Duration

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
    let recorder = ClaimRecorder(bench: bench, book: book, dispatcher: dispatcher)
    claimer = Claimer(bench: bench, recorder: recorder, monotonic: monotonic)
    copier = Copier(bench: bench, recorder: recorder) {
      bell.ring()
      onProgress()
    }
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
  package var pauseReason: String? { state.withLock { $0.pause.shortage?.words } }

  var isStopped: Bool { state.withLock { $0.isStopping } }

  /// Whether nothing is on its way in; held and unmatched drops do not count.
  package var isIdle: Bool {
    state.withLock {
      !$0.isBusy && !$0.wantsScan && $0.sweep == nil && !$0.candidates.isSettling && $0.pause.shortage == nil
    } && claimer.nextLook == nil && copier.isIdle
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
    let copying = copier.copying.map { (name: $0, reason: "being copied into `var/`") }
    let stuck = copier.troubles.map { (name: $0.key, reason: $0.value) }
    return state.withLock { state in
      let held = state.candidates.held.merging(state.ageing) { own, _ in own }
        .map { (name: $0.key, reason: $0.value) }
      let waiting = state.candidates.waiting()
      var ledger = Ledger(
        waiting: (waiting + copying).sorted { $0.name < $1.name }, held: (held + stuck).sorted { $0.name < $1.name },
        unmatched: state.candidates.unmatched.sorted(), paused: state.pause.shortage)
      for (name, _) in waiting { ledger.left[name] = state.candidates.due(name).map { max(.zero, $0 - now) } }
      return ledger
    }
  }

  /// Records a drop whose rename a crash left without a row.
  func adopt(_ found: [(id: RunID, name: FileName)]) async throws {
    var quiet: [(id: RunID, drop: ReadyDrop)] = []
    for (id, name) in found {
      // a rename that a power cut tore leaves the drop in both places
      try bench.spool.releaseTwin(of: name, of: id)
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
        var drop = ReadyDrop(name: name, sample: sample, route: route, refusal: refusal)
        drop.doneFile = route?.version.pipeline.trigger.doneFile?.name(for: name)
        bench.removeDoneFile(of: drop)
        if openness == .openForWriting { claimer.letSettle(id, drop) } else { quiet.append((id, drop)) }
      }
    }
    copier.add(try await claimer.adopt(quiet).map { .shared($0) })
  }

  /// Takes up runs whose drop was copied and whose source still lies in the inbox.
  /// - Returns: those that have to wait on.
  func takeUp(_ sources: [LeavingSource]) async throws -> Set<RunID> { try await copier.takeUp(sources) }

  // MARK: - The loop

  /// - Throws: what the store throws, and a sync that failed: the agent must stop.
  package func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.copier.run() }
      group.addTask {
        try await self.loop()
        self.copier.stop()
      }
      for try await _ in group {}
    }
  }

  private func loop() async throws {
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
    takeReleases()
    takeHints()
    let left = state.withLock { $0.pause.left(now: monotonic()) }
    if left > .zero { return left }
    let shortage = copier.full.map(Shortage.refused) ?? .now(spool: bench.spool, inbox: inbox, bench.settings)
    if let shortage { return pause(shortage) }
    guard dispatcher.backlog < Self.backlog else { return nil }
    do { try sweep() } catch let trouble as HostError { return pause(.refused(trouble.description)) }
    let due = state.withLock { $0.candidates.takeDue(now: monotonic(), limit: Self.batch) }
    var trouble: HostError?
    let ready = look(at: due, &trouble)
    settle(ready, try await claimer.claim(ready), trouble)
    if let trouble = state.withLock({ $0.claimTrouble }) { return pause(.refused(trouble)) }
    resume()
    return nextStep()
  }

  private func settle(_ ready: [ReadyDrop], _ left: Claimer.Leftover, _ trouble: HostError?) {
    copier.add(left.foreign.map { .foreign($0) } + left.shared.map { .shared($0) })
    let again = monotonic()
    let words = left.trouble ?? trouble?.description
    state.withLock { state in
      let stay = Set(left.held.map(\.name) + left.untried)
      for drop in ready where !stay.contains(drop.name) { state.candidates.forget(drop.name) }
      for name in left.untried { state.candidates.postpone(name, until: again) }
      if words != nil || !ready.isEmpty || state.candidates.count == 0 { state.claimTrouble = words }
    }
    for (name, reason) in left.held { hold(name, reason) }
  }

  /// Names that the copier is done with are looked at as if they were new.
  private func takeReleases() {
    let now = monotonic()
    for release in copier.takeReleases() {
      switch release {
      case .lookAgain(let name) where copier.isCopying(name): continue
      case .lookAgain(let name): state.withLock { $0.candidates.notice(name, moved: nil, now: now) }
      case .hold(let name, let reason): hold(name, reason)
      case .keep(let name, let sample): state.withLock { $0.candidates.keep(name, sample) }
      case .settle(let id, let drop): claimer.letSettle(id, drop)
      }
    }
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
      for name in hints.names.keys { state.candidates.announced(by: name, now: now) }
      for (name, moved) in hints.names where CandidateName.refusal(of: name) == nil && !copier.isCopying(name) {
        state.candidates.notice(name, moved: moved, now: now)
      }
      // where another inbox may have come, what was short may be there too
      if hints.scanInbox {
        state.wantsScan = true
        state.pause.doubt()
      }
    }
  }

  // MARK: - Pausing

  /// - Returns: when to look again whether it is over.
  private func pause(_ shortage: Shortage) -> Duration {
    let (time, isNews) = state.withLock { $0.pause.begin(shortage, now: monotonic()) }
    if isNews { bench.say(.intakePaused(reason: "\(shortage.words); \(shortage.remedy)")) }
    return time
  }

  private func resume() {
    if state.withLock({ $0.pause.end() }) { bench.say(.intakeResumed) }
  }
}
