import Foundation
import GRDB
import Synchronization

/// Gathers the changes of concurrent callers into few transactions, so that they share one fsync.
///
/// While one transaction is being made durable the next callers gather. A change that fails takes none of the others
/// with it. Nobody is answered before the shared COMMIT is on the disk.
final class GroupCommit: Sendable {
  private struct Change: Sendable {
    /// Makes the change; the result tells its caller so, after the COMMIT.
    let apply: @Sendable (Database) throws -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void
    let urgency: Urgency
  }

  /// Whether anything waits for a change to be durable.
  enum Urgency {
    /// What is recorded happens next.
    case now
    /// It has happened, and nothing else depends on it: while changes of its kind come close upon each other, it may wait
    /// some milliseconds for others to share its fsync.
    case soon(Kind)
  }

  /// Of changes that may wait.
  enum Kind {
    case ends
    case items
    case marks
  }

  private struct State {
    var gathered: [Change] = []
    var patience = CommitPatience()
    /// The writer waits for more.
    var isPatient = false
    var isDraining = false
    /// After a write the disk refused nothing is written any more: what is on it is unknown until it is read again.
    var broken: StoreError?
    var commits = 0
    /// Told of the next change, once.
    var listener: (@Sendable () -> Void)?
    /// What a transaction waits for now, and who is told when that changes.
    var hindrance: StoreError?
    var onHindrance: (@Sendable (StoreError?) -> Void)?
    /// After this nothing is waited for any more.
    var end: ContinuousClock.Instant?
  }

  /// Seconds between two tries while another program holds the lock, or the disk is full.
  private static let pause = 0.5

  private let state = Mutex(State())
  /// How long a change waits for such a thing to pass: what it records has happened already; `nil` has no end.
  private let patience: Duration?
  private let queue: DatabaseQueue
  private let path: String
  private let writer = WriterThread()
  /// Rung when something urgent comes while the writer waits for more.
  private let bell = DispatchSemaphore(value: 0)

  init(queue: DatabaseQueue, path: String, patience: Duration? = .zero) {
    self.queue = queue
    self.path = path
    self.patience = patience
  }

  /// Transactions that were committed.
  var commits: Int { state.withLock { $0.commits } }

  /// Changes that wait for the next transaction.
  var gathered: Int { state.withLock { $0.gathered.count } }

  /// Returns when the change is durable; a cancelled task waits as well, for its change is made all the same.
  /// - Parameter first: told before the caller, on the thread that writes.
  func perform<Value: Sendable>(
    _ urgency: Urgency = .now, first: @escaping @Sendable (Result<Void, any Error>) -> Void = { _ in },
    _ change: @escaping @Sendable (Database) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      gather(
        Change(
          apply: { database in
            let value = try change(database)
            return {
              first(.success(()))
              continuation.resume(returning: value)
            }
          },
          fail: {
            first(.failure($0))
            continuation.resume(throwing: $0)
          }, urgency: urgency))
    }
  }

  /// Gathers a change and goes on; the answer comes when it is durable, on the thread that writes.
  func submit(
    _ change: @escaping @Sendable (Database) throws -> Void,
    answer: @escaping @Sendable (Result<Void, any Error>) -> Void
  ) {
    gather(
      Change(
        apply: { database in
          try change(database)
          return { answer(.success(())) }
        },
        fail: { answer(.failure($0)) }, urgency: .now))
  }

  /// Calls `listener` when the next change comes, once.
  func whenWritten(_ listener: @escaping @Sendable () -> Void) { state.withLock { $0.listener = listener } }

  /// Does something with the connection between two transactions; a failure of the disk ends all writing.
  func between<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      writer.perform {
        if let broken = self.state.withLock({ $0.broken }) { return continuation.resume(throwing: broken) }
        do {
          continuation.resume(returning: try self.queue.writeWithoutTransaction(body))
        } catch {
          self.failAll([], error)
          continuation.resume(throwing: StoreError.wording(error, path: self.path))
        }
      }
    }
  }

  /// Tells `listener` what a transaction waits for, and with `nil` that it waits no more.
  func whenHindered(_ listener: @escaping @Sendable (StoreError?) -> Void) {
    state.withLock { $0.onHindrance = listener }
  }

  var hindrance: StoreError? { state.withLock { $0.hindrance } }

  /// Waits for nothing longer than this from now on.
  func hurry(within limit: Duration) { state.withLock { $0.end = ContinuousClock.now + limit } }

  private func gather(_ change: Change) {
    let (isFirst, broken, listener) = state.withLock { state -> (Bool, StoreError?, (@Sendable () -> Void)?) in
      if let broken = state.broken { return (false, broken, nil) }
      state.patience.take(
        change.urgency, isFirst: state.gathered.isEmpty, at: ContinuousClock.now)
      state.gathered.append(change)
      if state.patience.end == nil, state.isPatient {
        state.isPatient = false
        bell.signal()
      }
      defer {
        state.isDraining = true
        state.listener = nil
      }
      return (!state.isDraining, nil, state.listener)
    }
    if let broken { return change.fail(broken) }
    listener?()
    if isFirst { drainNext() }
  }

  private func drainNext() {
    writer.perform { self.drain() }
  }

  /// Waits while nothing that was gathered is urgent, and not for long.
  private func waitForMore() {
    // in a loop, for a bell that rang too late for the last wait ends this one
    while let left = patienceLeft() { _ = bell.wait(timeout: .now() + left / .seconds(1)) }
  }

  private func patienceLeft() -> Duration? {
    state.withLock { state in
      let left = state.patience.end.map { $0 - ContinuousClock.now } ?? .zero
      state.isPatient = left > .zero
      return state.isPatient ? left : nil
    }
  }

  private func drain() {
    waitForMore()
    queue.writeWithoutTransaction { database in
      let batch = self.state.withLock { state -> [Change] in
        defer { state.gathered = [] }
        return state.gathered
      }
      self.commit(batch, database)
      let isMore = self.state.withLock { state in
        state.isDraining = !state.gathered.isEmpty
        return state.isDraining
      }
      if isMore { self.drainNext() }
    }
  }

  private func commit(_ batch: [Change], _ database: Database) {
    if let broken = state.withLock({ $0.broken }) { return batch.forEach { $0.fail(broken) } }
    let deadline = patience.map { ContinuousClock.now + $0 }
    while true {
      do {
        let answers = try attempt(batch, database)
        state.withLock { $0.commits += 1 }
        note(nil)
        for answer in answers { answer() }
        return
      } catch {
        let trouble = StoreError.wording(error, path: path) as? StoreError
        let ends = [deadline, state.withLock { $0.end }].compactMap { $0 }
        guard let trouble, trouble.isTransient, ends.allSatisfy({ ContinuousClock.now < $0 }) else {
          return failAll(batch, error)
        }
        note(trouble)
        Thread.sleep(forTimeInterval: Self.pause)
      }
    }
  }

  private func note(_ hindrance: StoreError?) {
    let tell = state.withLock { state -> (@Sendable (StoreError?) -> Void)? in
      if state.hindrance == hindrance { return nil }
      state.hindrance = hindrance
      return state.onHindrance
    }
    tell?(hindrance)
  }

  /// All together; where one fails, all again, each in a savepoint of its own.
  private func attempt(_ batch: [Change], _ database: Database) throws -> [@Sendable () -> Void] {
    do {
      return try transaction(batch, database) { try $0.apply(database) }
    } catch {
      if (StoreError.wording(error, path: path) as? StoreError)?.takesAll == true { throw error }
      return try transaction(batch, database) { try apply($0, database) }
    }
  }

  private func transaction(
    _ batch: [Change], _ database: Database, _ make: (Change) throws -> @Sendable () -> Void
  ) throws -> [@Sendable () -> Void] {
    var answers: [@Sendable () -> Void] = []
    answers.reserveCapacity(batch.count)
    // as `inTransaction` of GRDB does it, which compiles both statements each time
    try database.cachedStatement(sql: "BEGIN IMMEDIATE TRANSACTION").execute()
    do {
      for change in batch { answers.append(try make(change)) }
      try database.cachedStatement(sql: "COMMIT TRANSACTION").execute()
    } catch {
      if database.isInsideTransaction { try? database.rollback() }
      throw error
    }
    return answers
  }

  /// Makes one change in its savepoint; a failure that took the whole transaction with it is thrown.
  private func apply(_ change: Change, _ database: Database) throws -> @Sendable () -> Void {
    var answer: (@Sendable () -> Void)?
    do {
      try database.inSavepoint {
        answer = try change.apply(database)
        return .commit
      }
    } catch {
      let error = StoreError.wording(error, path: path)
      guard database.isInsideTransaction, (error as? StoreError)?.takesAll != true else { throw error }
      return { change.fail(error) }
    }
    return answer ?? {}
  }

  private func failAll(_ batch: [Change], _ error: any Error) {
    let error = StoreError.wording(error, path: path)
    if let error = error as? StoreError, error.isStorageFailure {
      state.withLock { $0.broken = $0.broken ?? error }
    }
    for change in batch { change.fail(error) }
  }
}

extension StoreError {
  /// Whether every change of the transaction meets the same error.
  fileprivate var takesAll: Bool { isStorageFailure || isTransient }
}
