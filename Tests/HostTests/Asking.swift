import Foundation
import Host

/// Asks as a command does.
func ask(_ line: String, at path: String) async throws -> String? {
  try await onThread { try ControlClient.ask(line, at: path, timeout: 240) }
}

/// Does what blocks on a thread of its own: the pool of tasks is small.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
