import Core
import Foundation
import Store
import Synchronization

/// The breakers of stages as the agent knows them: an outcome counts as soon as it is there, recorded or not.
final class Breakers: Sendable {
  fileprivate enum Known {
    case state(BreakerState)
    case closed
  }

  private let known = Mutex<[Turnstile.Key: Known]>([:])
  private let reader: StateReader

  init(reader: StateReader) { self.reader = reader }

  /// `nil` where the last attempt of the stage did not fail.
  func state(of key: Turnstile.Key) async throws -> BreakerState? {
    if let found = look(key) { return found.state }
    let recorded = try await reader.breaker(of: key.stage, in: key.pipeline)
    // what was marked meanwhile is newer
    known.withLock { known in
      if known[key] == nil { known[key] = recorded.map { .state($0) } ?? .closed }
    }
    return look(key)?.state
  }

  func mark(_ mark: BreakerMark, in pipeline: String, at now: Date) {
    switch mark {
    case .passed(let stage): known.withLock { $0[Turnstile.Key(pipeline: pipeline, stage: stage)] = .closed }
    case .failed(let stage, let reason):
      known.withLock { known in
        let key = Turnstile.Key(pipeline: pipeline, stage: stage)
        let before = known[key]?.state?.failures ?? 0
        known[key] = .state(
          BreakerState(pipeline: pipeline, stage: stage, failures: before + 1, failed: now, reason: reason))
      }
    }
  }

  private func look(_ key: Turnstile.Key) -> Known? { known.withLock { $0[key] } }
}

extension Breakers.Known {
  fileprivate var state: BreakerState? {
    if case .state(let state) = self { state } else { nil }
  }
}
