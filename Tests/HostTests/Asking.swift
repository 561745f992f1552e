import Foundation
import Host

/// Asks as a command does, on a thread of its own: the call blocks, and the pool of tasks is small.
func ask(_ line: String, at path: String) async throws -> String? {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try ControlClient.ask(line, at: path) }) }
  }
}
