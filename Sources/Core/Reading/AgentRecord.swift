package import Foundation

/// The agent that worked here last, for people: whether it lives is asked by connecting to it.
package struct AgentRecord: Sendable, Equatable {
  package var boot: String
  package var pid: Int
  package var started: Date
  /// `nil` while it works, and where it came to a sudden end.
  package var ended: Date?

  package init(boot: String, pid: Int, started: Date, ended: Date? = nil) {
    self.boot = boot
    self.pid = pid
    self.started = started
    self.ended = ended
  }
}
