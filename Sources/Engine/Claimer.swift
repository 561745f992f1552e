import Core
import Foundation
import Store
import Synchronization

/// A drop that has settled, or that will never be one.
struct ReadyDrop: Sendable {
  var name: FileName
  var sample: FileSample
  var route: (version: PipelineVersion, captures: [String: String])?
  /// Why it goes to quarantine instead of a run.
  var refusal: String?

  init(
    name: FileName, sample: FileSample, route: (version: PipelineVersion, captures: [String: String])? = nil,
    refusal: String? = nil
  ) {
    self.name = name
    self.sample = sample
    self.route = route
    self.refusal = refusal
  }
}

/// Claims settled drops: rename, look again, sync, record.
final class Claimer: Sendable {
  /// A drop that was written to between the last look and the rename: nobody can open it by its path any more, so
  /// it settles where it is.
  private struct Unquiet {
    var id: RunID
    var drop: ReadyDrop
    var settling: Settling
    var due: Duration
  }

  private struct Taken {
    var id: RunID
    var drop: ReadyDrop
  }

  /// What became of drops that were to be claimed; those in none of these are claimed, or gone.
  struct Claims {
    var held: [(FileName, reason: String)] = []
    /// Not tried any more, for the machine has run out of something.
    var left: [FileName] = []
    var shortage: HostError?
  }

  /// Hashed at once, so that most drops need no second transaction for it.
  private static let hashedAtOnce = 1 << 20
  private static let adoptedAtOnce = 256

  private let bench: Workbench
  private let book: PipelineBook
  private let dispatcher: Dispatcher
  private let unquiet = Mutex<[Unquiet]>([])
  private let monotonic: @Sendable () -> Duration

  init(
    bench: Workbench, book: PipelineBook, dispatcher: Dispatcher,
    monotonic: @escaping @Sendable () -> Duration
  ) {
    self.bench = bench
    self.book = book
    self.dispatcher = dispatcher
    self.monotonic = monotonic
  }

  /// When a claimed drop that is still settling is looked at next, from now; `nil` where there is none.
  var nextLook: Duration? {
    unquiet.withLock { $0.map(\.due).min() }.map { max(.zero, $0 - monotonic()) }
  }

  /// Claims drops as one batch.
  /// - Throws: a failed sync, or what the store throws.
  func claim(_ drops: [ReadyDrop]) async throws -> Claims {
    var claims = Claims()
    var taken = takeQuiet()
    var chance = bench.random()
    for (index, drop) in drops.enumerated() {
      let id = RunID(now: bench.now(), using: &chance)
      do {
        switch try bench.spool.claim(drop.name, as: id) {
        case .gone: continue
        case .otherFilesystem: claims.held.append((drop.name, "the inbox and `var/` are on different filesystems"))
        case .claimed(let sample):
          if drop.refusal != nil || isQuiet(drop, id, sample) {
            taken.append(Taken(id: id, drop: drop))
          } else {
            letSettle(drop, id, sample)
          }
        }
      } catch let trouble as HostError where trouble.isShortage {
        claims.left = drops[index...].map(\.name)
        claims.shortage = trouble
        break
      } catch let trouble as HostError {
        claims.held.append((drop.name, trouble.description))
      }
    }
    try await record(taken)
    return claims
  }

  /// Records drops whose rename a crash left without a row.
  func adopt(_ found: [(id: RunID, drop: ReadyDrop)]) async throws {
    for start in stride(from: 0, to: found.count, by: Self.adoptedAtOnce) {
      let batch = found[start..<min(start + Self.adoptedAtOnce, found.count)]
      try await record(batch.map { Taken(id: $0.id, drop: $0.drop) }, mayBegin: false)
    }
  }

  /// Lets a drop without a row settle first, for someone still writes it.
  func adoptUnquiet(_ id: RunID, _ drop: ReadyDrop) { letSettle(drop, id, drop.sample) }

  private func isQuiet(_ drop: ReadyDrop, _ id: RunID, _ sample: FileSample) -> Bool {
    Failpoint.claimLooked.pass()
    guard sample.isSameContent(as: drop.sample) else { return false }
    guard case .file(_, let openness) = try? bench.spool.look(at: drop.name, of: id) else { return true }
    return openness != .openForWriting
  }

  private func letSettle(_ drop: ReadyDrop, _ id: RunID, _ sample: FileSample) {
    let settings = bench.settings
    let times = Settling.Times(
      moved: settings.settleMoved, written: settings.settle, empty: settings.settleEmpty)
    let now = monotonic()
    let waiting = Unquiet(
      id: id, drop: drop, settling: Settling(times: times, moved: false, now: now), due: now)
    unquiet.withLock { $0.append(waiting) }
  }

  /// Those claimed earlier that have settled by now.
  private func takeQuiet() -> [Taken] {
    let now = monotonic()
    var quiet: [Taken] = []
    let due = unquiet.withLock { waiting in
      defer { waiting.removeAll { $0.due <= now } }
      return waiting.filter { $0.due <= now }
    }
    for var drop in due {
      let sighting = sighting(of: drop)
      guard case .file(let sample, let openness) = sighting else {
        quiet += stranger(drop, sighting)
        continue
      }
      switch drop.settling.looked(sample, openness, now: now) {
      case .claim:
        drop.drop.sample = sample
        quiet.append(Taken(id: drop.id, drop: drop.drop))
      case .wait(let time, _):
        drop.due = now + time
        unquiet.withLock { $0.append(drop) }
      }
    }
    return quiet
  }

  /// One that someone took out of `work/` is nobody's drop any more.
  private func sighting(of drop: Unquiet) -> Sighting {
    do {
      let sighting = try bench.spool.look(at: drop.drop.name, of: drop.id)
      if sighting == .gone { try bench.spool.discardWork(drop.id) }
      return sighting
    } catch {
      bench.say(.filingTroubled("`\(drop.drop.name.displayed)` was taken out of `var/work/\(drop.id)`: \(error)"))
      return .gone
    }
  }

  /// A claimed name that is no plain file, for it was swapped just before the rename: it goes to quarantine.
  private func stranger(_ drop: Unquiet, _ sighting: Sighting?) -> [Taken] {
    var taken = Taken(id: drop.id, drop: drop.drop)
    switch sighting {
    case .special(let kind, let sample):
      taken.drop.sample = sample
      taken.drop.refusal = "became a \(kind) before it was claimed"
    case .directory: taken.drop.refusal = "became a directory before it was claimed"
    case .gone, .file, nil:
      try? bench.spool.discardWork(drop.id)
      return []
    }
    return [taken]
  }

  /// - Parameter mayBegin: whether first attempts are recorded too; not before the dispatcher works, for a death
  ///   until then would say that they were interrupted.
  private func record(_ taken: [Taken], mayBegin: Bool = true) async throws {
    if taken.isEmpty { return }
    try bench.spool.makeDurable(taken.map { ($0.id, $0.drop.name) })
    let places = mayBegin ? dispatcher.reservePlaces(taken.count) : 0
    var used = 0
    let claims = taken.map { taken -> NewRun in
      let run = newRun(taken)
      guard used < places, let pipeline = taken.drop.route?.version.pipeline,
        let attempt = Attempt.first(of: run, in: pipeline, bench: bench)
      else { return NewRun(run) }
      used += 1
      return NewRun(run, attempt: attempt)
    }
    dispatcher.giveBackPlaces(places - used)
    do {
      let runs = try await bench.store.claim(claims)
      Failpoint.claimRecorded.pass()
      for (run, claim) in zip(runs, claims) { announce(run, opened: claim.attempt) }
    } catch {
      dispatcher.giveBackPlaces(used)
      throw error
    }
  }

  private func newRun(_ taken: Taken) -> Run {
    let drop = taken.drop
    var recorded = Drop(name: drop.name, bytes: drop.sample.bytes, captures: drop.route?.captures ?? [:])
    var run = Run(
      id: taken.id, pipeline: drop.route?.version.pipeline.name ?? "", version: drop.route?.version.digest,
      trigger: .drop, created: bench.now())
    if let refusal = drop.refusal {
      run.state = .quarantined
      run.reason = "`\(drop.name.displayed)` \(refusal)"
      run.ended = bench.now()
    } else if drop.sample.bytes <= Self.hashedAtOnce {
      recorded.sha256 = try? bench.spool.digest(of: drop.name, of: taken.id)
    }
    run.drop = recorded
    return run
  }

  private func announce(_ run: Run, opened: Attempt?) {
    guard let drop = run.drop else { return }
    if run.state == .quarantined {
      bench.say(.dropQuarantined(drop.name, reason: run.reason ?? ""), run)
      dispatcher.takeQuarantined(run)
      return
    }
    bench.say(.dropClaimed(drop.name, bytes: drop.bytes), run)
    let priority = book.version(of: run.pipeline)?.pipeline.trigger.priority ?? 0
    dispatcher.add(run, priority: priority, opened: opened)
  }
}
