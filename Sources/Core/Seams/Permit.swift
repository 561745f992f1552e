/// What a program must wait for before it begins: a record of it on the disk.
package protocol Permit: Sendable {
  /// Whether it was given already.
  var isGiven: Bool { get }

  /// Calls `body` once, on any thread, when it is given or refused: at once where that is known.
  func whenKnown(_ body: @escaping @Sendable (Result<Void, any Error>) -> Void)
}

extension Permit {
  /// Returns when it is given; a cancelled task waits as well.
  /// - Throws: what it was refused for.
  package func given() async throws {
    try await withCheckedThrowingContinuation { continuation in whenKnown { continuation.resume(with: $0) } }
  }
}
