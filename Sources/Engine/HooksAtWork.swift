package import Core
package import Foundation
import Synchronization

/// Hooks that have been asked and have not answered yet.
package final class HooksAtWork: Sendable {
  package struct Entry: Sendable {
    package var run: RunID
    package var stage: String?
    package var event: String
    package var program: String
    package var since: Date
    package var timeout: Duration
  }

  private let state = Mutex<(next: Int, entries: [Int: Entry])>((0, [:]))

  /// The one asked first comes first.
  package var entries: [Entry] { state.withLock { $0.entries.sorted { $0.key < $1.key }.map(\.value) } }

  func with<Value>(_ entry: Entry, _ body: () async throws -> Value) async rethrows -> Value {
    let key = state.withLock { state in
      state.next += 1
      state.entries[state.next] = entry
      return state.next
    }
    defer { state.withLock { $0.entries[key] = nil } }
    return try await body()
  }
}
