import Core
import Synchronization

/// Claimed drops that were written to between the last look and the rename: nobody can open them by their path any
/// more, so they settle where they are.
final class Unquiet: Sendable {
  private struct Waiting {
    var id: RunID
    var drop: ReadyDrop
    var settling: Settling
    var due: Duration
  }

  private let bench: Workbench
  private let waiting = Mutex<[Waiting]>([])
  private let monotonic: @Sendable () -> Duration

  init(bench: Workbench, monotonic: @escaping @Sendable () -> Duration) {
    self.bench = bench
    self.monotonic = monotonic
  }

  /// When one is looked at next, from now; `nil` where there is none.
  var nextLook: Duration? {
    waiting.withLock { $0.map(\.due).min() }.map { max(.zero, $0 - monotonic()) }
  }

  func add(_ id: RunID, _ drop: ReadyDrop) {
    let settings = bench.settings
    let times = Settling.Times(
      moved: settings.settleMoved, written: settings.settle, empty: settings.settleEmpty)
    let now = monotonic()
    let one = Waiting(id: id, drop: drop, settling: Settling(times: times, moved: false, now: now), due: now)
    waiting.withLock { $0.append(one) }
  }

  /// Takes out those that have settled by now.
  func takeQuiet() -> [TakenDrop] {
    let now = monotonic()
    let due = waiting.withLock { waiting in
      defer { waiting.removeAll { $0.due <= now } }
      return waiting.filter { $0.due <= now }
    }
    return due.compactMap { one in
      var one = one
      let sighting = sighting(of: one)
      guard case .file(let sample, let openness) = sighting else { return stranger(one, sighting) }
      switch one.settling.looked(sample, openness, now: now) {
      case .claim:
        one.drop.sample = sample
        return TakenDrop(id: one.id, drop: one.drop)
      case .wait(let time, _):
        one.due = now + time
        waiting.withLock { $0.append(one) }
        return nil
      }
    }
  }

  /// One that someone took out of `work/` is nobody's drop any more.
  private func sighting(of one: Waiting) -> Sighting {
    do {
      let sighting = try bench.spool.look(at: one.drop.name, of: one.id)
      if sighting == .gone { try bench.spool.discardWork(one.id) }
      return sighting
    } catch {
      bench.say(.filingTroubled("`\(one.drop.name.displayed)` was taken out of `var/work/\(one.id)`: \(error)"))
      return .gone
    }
  }

  /// A claimed name that is no plain file, for it was swapped just before the rename: it goes to quarantine.
  private func stranger(_ one: Waiting, _ sighting: Sighting) -> TakenDrop? {
    var taken = TakenDrop(id: one.id, drop: one.drop)
    switch sighting {
    case .special(let kind, let sample):
      taken.drop.sample = sample
      taken.drop.refusal = "became a \(kind) before it was claimed"
    case .directory: taken.drop.refusal = "became a directory before it was claimed"
    case .gone, .file:
      try? bench.spool.discardWork(one.id)
      return nil
    }
    return taken
  }
}
