import Core
import DequeModule
import Store
import Synchronization

/// Takes in drops that a rename cannot: from another filesystem, to be kept in the inbox, or shared with a name
/// elsewhere.
///
/// It has a loop of its own, so that a large file keeps no other drop waiting. The order is that of faults.md 5.2:
/// the copy is durable, then its run is recorded, then the source goes, and only then the run may begin.
final class Copier: Sendable {
  enum Job: Sendable {
    /// Still in the inbox.
    case foreign(ReadyDrop)
    /// Already in `work/`.
    case shared(TakenDrop)
  }

  private struct State {
    var jobs: Deque<Job> = []
    /// Claimed drops that cannot be copied, and why.
    var troubles: [FileName: String] = [:]
    /// Names in the inbox that are being copied.
    var names: Set<FileName> = []
    var releases: [Release] = []
    var isBusy = false
    var isStopping = false
    /// The disk is full: nothing is taken in for a moment.
    var full: String?
  }

  /// What is to become of a drop that is no longer copied.
  enum Release: Sendable {
    case lookAgain(FileName)
    case hold(FileName, String)
    /// It stays in the inbox as it is, and is taken already.
    case keep(FileName, FileSample)
    /// It changed while it was copied: it settles in `work/`.
    case settle(RunID, ReadyDrop)
  }

  /// Copies that share their syncs and their commit.
  private static let batch = 256
  /// A batch that has copied this much ends.
  private static let batchBytes = 64 << 20
  private static let pause = Duration.seconds(5)

  private let bench: Workbench
  private let recorder: ClaimRecorder
  private let remover: SourceRemover
  private let onProgress: @Sendable () -> Void
  private let bell = Bell()
  private let state = Mutex(State())

  /// - Parameter onProgress: called when there is something for `takeReleases`, or nothing left to do.
  init(bench: Workbench, recorder: ClaimRecorder, onProgress: @escaping @Sendable () -> Void) {
    self.bench = bench
    self.recorder = recorder
    self.onProgress = onProgress
    remover = SourceRemover(bench: bench, recorder: recorder)
  }

  // MARK: - What others ask

  func add(_ jobs: [Job]) {
    if jobs.isEmpty { return }
    state.withLock { state in
      for job in jobs {
        if case .foreign(let drop) = job { state.names.insert(drop.name) }
        state.jobs.append(job)
      }
    }
    bell.ring()
  }

  /// Takes up runs of an earlier agent whose sources are still there.
  /// - Returns: those that must wait on, for their source cannot be removed.
  func takeUp(_ sources: [LeavingSource]) async throws -> Set<RunID> {
    try await remover.remove(sources, announcing: false)
    return remover.waiting
  }

  func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// Whether a name in the inbox is being copied, or was and is not yet removed.
  func isCopying(_ name: FileName) -> Bool { state.withLock { $0.names.contains(name) } || remover.holds(name) }

  func isRemovingSource(of id: RunID) -> Bool { remover.isAtWork(on: id) }

  /// Whether nothing is on its way; a source that cannot be removed does not count.
  var isIdle: Bool { state.withLock { $0.jobs.isEmpty && !$0.isBusy && $0.releases.isEmpty } }

  /// Hands over what it is done with.
  func takeReleases() -> [Release] {
    state.withLock { state in
      for release in state.releases { if let name = release.name { state.names.remove(name) } }
      defer { state.releases = [] }
      return state.releases
    }
  }

  /// Why nothing should be taken in for now: the disk filled up while copying.
  var full: String? { state.withLock { $0.full } }

  /// What is being copied, and what waits for the removal of its source.
  var copying: [FileName] { state.withLock { Array($0.names) } }
  var troubles: [FileName: String] {
    state.withLock { $0.troubles }.merging(remover.troubles) { own, _ in own }
  }

  // MARK: - The loop

  /// - Throws: a failed sync, or what the store throws.
  func run() async throws {
    while true {
      guard let jobs = take() else { return }
      for name in try await remover.tryAgain() { release(.lookAgain(name)) }
      if !jobs.isEmpty { try await work(jobs) }
      let isTroubled = !remover.waiting.isEmpty
      let wait = state.withLock { state -> Duration? in
        state.isBusy = false
        if state.full != nil { return Self.pause }
        return state.jobs.isEmpty ? isTroubled ? Self.pause : nil : .zero
      }
      onProgress()
      await bell.wait(atMost: wait, on: bench.clock)
      try Task.checkCancellation()
    }
  }

  /// - Returns: `nil` where the agent stops.
  private func take() -> [Job]? {
    state.withLock { state in
      if state.isStopping { return nil }
      let jobs = Array(state.jobs.prefix(Self.batch))
      state.jobs.removeFirst(jobs.count)
      state.isBusy = true
      return jobs
    }
  }

  /// Copies as many as go into one batch; the rest goes back to the front of the queue.
  private func work(_ jobs: [Job]) async throws {
    var rest = jobs[...]
    var copied: [(job: Job, taken: TakenDrop)] = []
    var bytes = 0
    var full: String?
    while bytes < Self.batchBytes, let job = rest.popFirst() {
      if try await isKept(job) { continue }
      do {
        if let taken = try await copy(job) {
          copied.append((job, taken))
          bytes += taken.drop.sample.bytes
        } else if state.withLock({ $0.isStopping }) {
          break
        } else {
          giveUp(job, because: nil)
        }
      } catch let trouble as HostError where trouble.isDiskFull {
        rest = jobs[(rest.startIndex - 1)...]
        full = trouble.description
        break
      } catch let trouble as HostError {
        giveUp(job, because: trouble.description)
      }
    }
    state.withLock { state in
      state.full = full
      state.jobs = Deque(rest) + state.jobs
    }
    try bench.spool.makeCopiesDurable(copied.map { ($0.taken.id, $0.taken.drop.name) })
    try await takeIn(copied)
  }

  /// Whether a drop that stays in the inbox was taken before.
  private func isKept(_ job: Job) async throws -> Bool {
    guard bench.settings.source == .keep, case .foreign(let drop) = job,
      try await bench.store.reader.keeper(of: drop.name, drop.sample) != nil
    else { return false }
    release(.keep(drop.name, drop.sample))
    return true
  }

  /// - Returns: `nil` where it changed, is gone, or the agent stops.
  /// - Throws: `HostError`; the source is as it was.
  private func copy(_ job: Job) async throws -> TakenDrop? {
    var taken = begun(job)
    do {
      guard let copying = try open(job, taken) else { return nil }
      while true {
        switch try copying.advance() {
        case .more:
          await Task.yield()
          if state.withLock({ $0.isStopping }) || Task.isCancelled {
            try? bench.spool.discardCopy(taken.id)
            return nil
          }
        case .changed:
          try? bench.spool.discardCopy(taken.id)
          return nil
        case .whole(let sample, let digest):
          taken.sha256 = digest
          taken.drop.sample.bytes = sample.bytes
          taken.drop.sample.modified = sample.modified
          return taken
        }
      }
    } catch {
      try? bench.spool.discardCopy(taken.id)
      throw error
    }
  }

  private func begun(_ job: Job) -> TakenDrop {
    switch job {
    case .shared(let taken): return taken
    case .foreign(let drop):
      var chance = bench.random()
      let source: NewRun.Source = bench.settings.source == .keep ? .kept : .leaving(drop.sample)
      return TakenDrop(id: RunID(now: bench.now(), using: &chance), drop: drop, source: source)
    }
  }

  private func open(_ job: Job, _ taken: TakenDrop) throws -> (any Copying)? {
    let (name, sample, reserve) = (taken.drop.name, taken.drop.sample, bench.settings.reserve)
    if case .shared = job { return try bench.spool.beginUnsharing(of: name, sample, of: taken.id, leaving: reserve) }
    if bench.settings.source == .move, let refusal = bench.spool.refusalToRemove(name) {
      throw HostError(refusal)
    }
    return try bench.spool.beginCopy(of: name, sample, as: taken.id, leaving: reserve)
  }

  private func takeIn(_ copied: [(job: Job, taken: TakenDrop)]) async throws {
    var own: [TakenDrop] = []
    var foreign: [TakenDrop] = []
    for (job, taken) in copied {
      guard case .shared = job else {
        foreign.append(taken)
        continue
      }
      try bench.spool.finishUnsharing(of: taken.drop.name, of: taken.id)
      own.append(taken)
    }
    try await recorder.record(own)
    let runs = foreign.isEmpty ? [] : try await recorder.recordCopies(foreign)
    var leaving: [LeavingSource] = []
    var kept: [Run] = []
    for (run, taken) in zip(runs, foreign) {
      if case .leaving(let sample) = taken.source {
        leaving.append(LeavingSource(run: run, sample: sample))
      } else {
        kept.append(run)
      }
    }
    try await remover.begin(kept, announcing: true)
    try await remover.remove(leaving, announcing: true)
    for (job, taken) in copied {
      if case .foreign(let drop) = job {
        release(taken.source == .kept ? .keep(drop.name, drop.sample) : .lookAgain(drop.name))
      } else {
        state.withLock { $0.troubles[taken.drop.name] = nil }
      }
    }
  }

  /// Nothing came of it: another look decides, or it is held.
  private func giveUp(_ job: Job, because reason: String?) {
    switch job {
    case .foreign(let drop): release(reason.map { .hold(drop.name, $0) } ?? .lookAgain(drop.name))
    case .shared(let taken):
      let isNew = state.withLock { $0.troubles.updateValue(reason ?? "", forKey: taken.drop.name) != reason }
      if let reason, isNew { bench.say(.dropHeld(taken.drop.name, reason: reason)) }
      release(.settle(taken.id, taken.drop))
    }
  }

  private func release(_ release: Release) { state.withLock { $0.releases.append(release) } }
}

extension Copier.Release {
  /// The name in the inbox it is about.
  fileprivate var name: FileName? {
    switch self {
    case .lookAgain(let name), .hold(let name, _), .keep(let name, _): name
    case .settle: nil
    }
  }
}

extension HostError {
  /// ENOSPC or EDQUOT: Engine does not see errno(3)'s names.
  fileprivate var isDiskFull: Bool { code == 28 || code == 122 }
}
