import Core
import Store

/// Claims settled drops: rename, look again, then have them synced and recorded.
final class Claimer: Sendable {
  /// What a batch left in the inbox.
  struct Leftover: Sendable {
    /// Cannot be claimed now, and why.
    var held: [(name: FileName, reason: String)] = []
    /// Cannot be moved to `var/`: to be copied.
    var foreign: [ReadyDrop] = []
    /// Claimed, but shared with a name elsewhere: to get bytes of their own.
    var shared: [TakenDrop] = []
    /// Why nothing can be claimed for now, and what was therefore not tried.
    var trouble: String?
    var untried: [FileName] = []
  }

  private static let adoptedAtOnce = 256

  private let bench: Workbench
  private let recorder: ClaimRecorder
  private let unquiet: Unquiet

  init(bench: Workbench, recorder: ClaimRecorder, monotonic: @escaping @Sendable () -> Duration) {
    self.bench = bench
    self.recorder = recorder
    unquiet = Unquiet(bench: bench, monotonic: monotonic)
  }

  /// When a claimed drop that is still settling is looked at next, from now; `nil` where there is none.
  var nextLook: Duration? { unquiet.nextLook }

  /// Claims drops as one batch.
  /// - Throws: a failed sync, or what the store throws.
  func claim(_ drops: [ReadyDrop]) async throws -> Leftover {
    var left = Leftover()
    var taken = unquiet.takeQuiet()
    var chance = bench.random()
    for (n, drop) in drops.enumerated() {
      if bench.settings.source == .keep, drop.refusal == nil {
        left.foreign.append(drop)
        continue
      }
      let id = RunID(now: bench.now(), using: &chance)
      do {
        switch try bench.spool.claim(drop.name, as: id) {
        case .gone: continue
        case .otherFilesystem:
          if let refusal = drop.refusal {
            left.held.append((drop.name, "\(refusal); and it cannot be moved to quarantine on another filesystem"))
          } else {
            left.foreign.append(drop)
          }
        case .refused(let reason): left.held.append((drop.name, reason))
        case .claimed(let sample):
          bench.removeDoneFile(of: drop)
          take(drop, id, sample, &taken)
        }
      } catch let trouble as HostError {
        left.trouble = trouble.description
        left.untried = drops[n...].map(\.name)
        break
      }
    }
    left.shared = taken.filter { $0.drop.refusal == nil && $0.drop.sample.links > 1 }
    try await recorder.record(taken.filter { $0.drop.refusal != nil || $0.drop.sample.links == 1 })
    return left
  }

  private func take(_ drop: ReadyDrop, _ id: RunID, _ sample: FileSample, _ taken: inout [TakenDrop]) {
    var drop = drop
    // a link that a file took the place of just before the rename is no link any more
    if drop.refusal != nil, drop.route == nil, let route = recorder.book.route(drop.name),
      case .file = try? bench.spool.look(at: drop.name, of: id)
    {
      (drop.route, drop.refusal) = (route, nil)
      return unquiet.add(id, drop)
    }
    if drop.refusal == nil, !isQuiet(drop, id, sample) { return unquiet.add(id, drop) }
    drop.sample = sample
    taken.append(TakenDrop(id: id, drop: drop))
  }

  private func isQuiet(_ drop: ReadyDrop, _ id: RunID, _ sample: FileSample) -> Bool {
    Failpoint.claimLooked.pass()
    guard sample.isSameContent(as: drop.sample) else { return false }
    guard case .file(_, let openness) = try? bench.spool.look(at: drop.name, of: id) else { return true }
    return openness != .openForWriting
  }

  /// Records drops whose rename a crash left without a row.
  /// - Returns: those that are shared with a name elsewhere, which are not recorded.
  func adopt(_ found: [(id: RunID, drop: ReadyDrop)]) async throws -> [TakenDrop] {
    let taken = found.map { TakenDrop(id: $0.id, drop: $0.drop) }
    let own = taken.filter { $0.drop.refusal != nil || $0.drop.sample.links <= 1 }
    for start in stride(from: 0, to: own.count, by: Self.adoptedAtOnce) {
      try await recorder.record(Array(own[start..<min(start + Self.adoptedAtOnce, own.count)]), mayBegin: false)
    }
    return taken.filter { $0.drop.refusal == nil && $0.drop.sample.links > 1 }
  }

  /// Lets a drop without a row, or one that changed while it was copied, settle in `work/`.
  func letSettle(_ id: RunID, _ drop: ReadyDrop) { unquiet.add(id, drop) }
}
