package import Core
import Foundation
import Glibc
import Synchronization

/// Writes log records as NDJSON: all to `var/logs/agent.ndjson`, those of a run also to `var/runs/<run>/log.ndjson`.
package final class LogFiles: Sendable {
  private struct State {
    var agent: Int32 = -1
    var agentBytes = 0
    /// Files of runs that are being written, the last used at the end.
    var runs: [(id: RunID, fd: Int32)] = []
  }

  private static let rotateAt = 64 << 20
  private static let openRuns = 32

  private let logs: String
  private let runs: String
  private let mask: SecretMask
  private let state = Mutex(State())

  package init(workspace: Workspace, mask: SecretMask) {
    logs = workspace.logs
    runs = workspace.state + "/runs"
    self.mask = mask
  }

  deinit {
    state.withLock { state in
      if state.agent >= 0 { close(state.agent) }
      for run in state.runs { close(run.fd) }
    }
  }

  /// What cannot be written is dropped: a full disk must not stop a run.
  package func write(_ record: LogRecord) {
    guard let line = try? mask.masked(record.json { Timestamp.text($0) }).line() else { return }
    let bytes = Array(line.utf8) + [0x0A]
    state.withLock { state in
      append(bytes, to: &state)
      guard let id = record.run, let fd = file(of: id, in: &state) else { return }
      _ = Glibc.write(fd, bytes, bytes.count)
    }
  }

  /// The log of a run, and of the agent.
  package static func path(of run: RunID, in workspace: Workspace) -> String {
    workspace.state + "/runs/\(run.text)/log.ndjson"
  }

  package static func agentPath(in workspace: Workspace) -> String { workspace.logs + "/agent.ndjson" }

  private func append(_ bytes: [UInt8], to state: inout State) {
    let path = logs + "/agent.ndjson"
    if state.agent >= 0, state.agentBytes > Self.rotateAt {
      close(state.agent)
      state.agent = -1
      rename(path, path + ".1")
    }
    if state.agent < 0 {
      state.agent = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
      state.agentBytes = max(0, Int(lseek(state.agent, 0, SEEK_END)))
    }
    if state.agent >= 0 { state.agentBytes += max(0, Glibc.write(state.agent, bytes, bytes.count)) }
  }

  private func file(of id: RunID, in state: inout State) -> Int32? {
    if let index = state.runs.lastIndex(where: { $0.id == id }) {
      let run = state.runs.remove(at: index)
      state.runs.append(run)
      return run.fd
    }
    let directory = runs + "/" + id.text
    let path = directory + "/log.ndjson"
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW
    var fd = open(path, flags, 0o600)
    if fd < 0, errno == ENOENT {
      mkdir(directory, 0o700)
      fd = open(path, flags, 0o600)
    }
    guard fd >= 0 else { return nil }
    state.runs.append((id, fd))
    if state.runs.count > Self.openRuns { close(state.runs.removeFirst().fd) }
    return fd
  }
}
