import Core
import Foundation
import Store
import Synchronization

/// Looks after the database between the writes: keeps its log short, backs it up, notices when it is taken away.
///
/// It sleeps until something was written, a backup is due, or its bell is rung: an idle agent is never woken for it.
package final class Upkeep: Sendable {
  private struct State {
    var isStopping = false
    var log = LogState(bytes: 0, isHeld: false)
    var backupTrouble: String?
  }

  /// Without a write for so long, it is quiet.
  private static let quiet = Duration.seconds(5)
  /// While a reader holds the log.
  private static let heldPause = Duration.seconds(15)
  /// After a backup that failed.
  private static let backupPause: TimeInterval = 3600

  private let bench: Workbench
  /// Rung by the store's first write, and where the file itself changes its name.
  private let bell: Bell
  private let state = Mutex(State())

  package init(bench: Workbench, bell: Bell) {
    self.bench = bench
    self.bell = bell
  }

  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// What a person should know of the database, in words.
  package var troubles: [String] {
    let (log, backup) = state.withLock { ($0.log, $0.backupTrouble) }
    let hindrance = bench.store.hindrance.map { "outcomes wait to be recorded: \($0)" }
    return [hindrance, log.isAlarming ? Self.words(log) : nil, backup].compactMap { $0 }
  }

  /// - Throws: `StoreError` where the database is damaged, gone or cannot be written: the agent must stop.
  package func run() async throws {
    let bench = bench
    bench.store.whenHindered { error in
      bench.say(
        error.map { .stateTroubled("outcomes wait to be recorded: \($0)") } ?? .stateRecovered("it can be written"))
    }
    if bench.store.isUnexamined { try bench.store.examine() }
    var plan = BackupPlan(every: bench.settings.state.backup, last: bench.store.lastBackup)
    var seen = 0
    var tidyAfter = listen(since: seen)
    while !state.withLock({ $0.isStopping }) {
      await bell.wait(atMost: shorter(tidyAfter, plan.wait(at: bench.now())), on: bench.clock)
      try Task.checkCancellation()
      if state.withLock({ $0.isStopping }) { return }
      try bench.store.checkInPlace()
      try backUp(&plan)
      let commits = bench.store.commits
      let isQuiet = commits == seen && tidyAfter != nil
      seen = commits
      tidyAfter = try await tidy(isQuiet: isQuiet, commits: commits)
    }
  }

  /// - Returns: when to look again; `nil` sleeps until the next write.
  private func tidy(isQuiet: Bool, commits: Int) async throws -> Duration? {
    let log = try await bench.store.tidyLog(isQuiet: isQuiet)
    let was = state.withLock { state in
      defer { state.log = log }
      return state.log
    }
    if log.isAlarming, !was.isAlarming { bench.say(.stateTroubled(Self.words(log))) }
    if was.isAlarming, !log.isAlarming { bench.say(.stateRecovered("its log is short")) }
    if log.isHeld { return Self.heldPause }
    return isQuiet ? listen(since: commits) : Self.quiet
  }

  /// Sleeps until the next write, where none came meanwhile.
  private func listen(since commits: Int) -> Duration? {
    let bell = bell
    bench.store.whenWritten { bell.ring() }
    return bench.store.commits == commits ? nil : Self.quiet
  }

  private func backUp(_ plan: inout BackupPlan) throws {
    let now = bench.now()
    guard plan.isDue(at: now, commits: bench.store.commits) else { return }
    do {
      let path = try bench.store.backUp(now: now, keep: bench.settings.state.keep)
      plan.made(at: now, commits: bench.store.commits)
      state.withLock { $0.backupTrouble = nil }
      bench.say(.stateBackedUp(path: path, seconds: bench.now().timeIntervalSince(now)))
    } catch let error as StoreError where !error.isDamage {
      plan.failed(at: now, pause: Self.backupPause)
      state.withLock { $0.backupTrouble = "no backup could be made: \(error.detail)" }
      bench.say(.stateTroubled("no backup could be made: \(error.detail)"))
    }
  }

  private func shorter(_ one: Duration?, _ other: Duration?) -> Duration? {
    guard let one, let other else { return one ?? other }
    return min(one, other)
  }

  private static func words(_ log: LogState) -> String {
    let size = Quantity.text(bytes: log.bytes)
    return log.isHeld
      ? "a reader keeps the database's log from being emptied, \(size) so far: end whatever has `var/state.db` open "
        + "(`fuser -v var/state.db` names it)"
      : "the database's log is long, \(size): more is written than can be moved into the database"
  }
}

/// When the next backup is due.
struct BackupPlan: Equatable {
  /// `nil` makes none.
  private let every: TimeInterval?
  private var due: Date
  /// Commits that the last one has; `nil` for one of an earlier agent.
  private var commits: Int?

  /// - Parameter every: zero makes none.
  init(every: Duration, last: Date?) {
    let seconds = every / .seconds(1)
    self.every = seconds > 0 ? seconds : nil
    due = last.map { $0 + seconds } ?? .distantPast
  }

  /// `nil` where none will be.
  func wait(at now: Date) -> Duration? {
    every == nil ? nil : .seconds(max(1, due.timeIntervalSince(now)))
  }

  /// A database in which nothing was written since has its backup already.
  mutating func isDue(at now: Date, commits: Int) -> Bool {
    guard let every, due <= now || due > now + every else { return false }
    guard self.commits == commits else { return true }
    due = now + every
    return false
  }

  mutating func made(at now: Date, commits: Int) {
    due = now + (every ?? 0)
    self.commits = commits
  }

  mutating func failed(at now: Date, pause: TimeInterval) { due = now + min(pause, every ?? pause) }
}
