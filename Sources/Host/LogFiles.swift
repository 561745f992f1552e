package import Core
import Foundation
import Glibc
import Synchronization

/// Writes log records as NDJSON: all to `var/logs/agent.ndjson`, those of a run also to `var/runs/<run>/log.ndjson`.
///
/// They are worded and written late, those of some milliseconds together, so that nobody who has something to say waits for
/// a disk.
package final class LogFiles: Sendable {
  private final class Desk: Sendable {
    private typealias Entry = (record: LogRecord, then: (@Sendable () -> Void)?)

    private let pending = Mutex<[Entry]>([])
    private let files: Mutex<OpenLogs>
    private let mask: SecretMask

    init(logs: String, runs: String, mask: SecretMask) {
      files = Mutex(OpenLogs(logs: logs, runs: runs))
      self.mask = mask
    }

    /// - Returns: how many records wait, this one with them.
    func put(_ record: LogRecord, then: (@Sendable () -> Void)?) -> Int {
      pending.withLock { pending in
        pending.append((record, then))
        return pending.count
      }
    }

    func flush() {
      files.withLock { files in
        // taken under the lock of the files, so that who comes second writes second
        let entries = pending.withLock { pending in
          defer { pending = [] }
          return pending
        }
        for (record, _) in entries {
          guard let line = try? mask.masked(record.json { Timestamp.text($0) }).bytes() else { continue }
          files.add(line + [0x0A], run: record.run)
        }
        files.write()
        for (_, then) in entries { then?() }
      }
    }
  }

  /// Records that may wait; who has one more to say writes them.
  private static let mostPending = 4096

  private let desk: Desk
  private let late: LateWork?

  /// - Parameter late: without it everything is written at once.
  package init(workspace: Workspace, mask: SecretMask, late: LateWork? = nil) {
    desk = Desk(logs: workspace.logs, runs: workspace.state + "/runs", mask: mask)
    self.late = late
  }

  deinit { desk.flush() }

  /// What cannot be written is dropped: a full disk must not stop a run.
  /// - Parameter then: called when it is written, in the same order; it must write nothing itself.
  package func write(_ record: LogRecord, then: (@Sendable () -> Void)? = nil) {
    let waiting = desk.put(record, then: then)
    if let late, waiting < Self.mostPending, record.level < .warning {
      if waiting == 1 { late.add { [desk] in desk.flush() } }
    } else {
      desk.flush()
    }
  }

  /// Writes what waits.
  package func flush() { desk.flush() }

  /// The log of a run, and of the agent.
  package static func path(of run: RunID, in workspace: Workspace) -> String {
    workspace.state + "/runs/\(run.text)/log.ndjson"
  }

  package static func agentPath(in workspace: Workspace) -> String { workspace.logs + "/agent.ndjson" }
}

extension LogRecord.Level {
  /// By weight, debug the least.
  fileprivate static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}
