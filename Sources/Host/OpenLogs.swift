import Core
import Glibc

/// The log files that are open, and the lines they are to get.
struct OpenLogs: ~Copyable {
  private static let rotateAt = 64 << 20
  private static let most = 32

  private let logs: String
  private let runs: String
  private var agent: Int32 = -1
  private var agentBytes = 0
  /// Files of runs, the last used at the end.
  private var open: [(id: RunID, fd: Int32)] = []
  private var agentLines: [UInt8] = []
  private var runLines: [(id: RunID, bytes: [UInt8])] = []

  init(logs: String, runs: String) {
    self.logs = logs
    self.runs = runs
  }

  deinit {
    if agent >= 0 { close(agent) }
    for run in open { close(run.fd) }
  }

  /// Gathers a line with its end.
  mutating func add(_ line: [UInt8], run: RunID?) {
    agentLines += line
    guard let run else { return }
    if let index = runLines.lastIndex(where: { $0.id == run }) {
      runLines[index].bytes += line
    } else {
      runLines.append((run, line))
    }
    if agentLines.count > 1 << 20 { write() }
  }

  /// Writes what was gathered; what cannot be written is dropped.
  mutating func write() {
    if !agentLines.isEmpty { append(agentLines) }
    agentLines.removeAll(keepingCapacity: true)
    for (id, bytes) in runLines {
      guard let fd = file(of: id) else { continue }
      _ = Glibc.write(fd, bytes, bytes.count)
    }
    runLines = []
  }

  private mutating func append(_ bytes: [UInt8]) {
    let path = logs + "/agent.ndjson"
    if agent >= 0, agentBytes > Self.rotateAt {
      close(agent)
      agent = -1
      rename(path, path + ".1")
    }
    if agent < 0 {
      agent = RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
      agentBytes = max(0, Int(lseek(agent, 0, SEEK_END)))
    }
    if agent >= 0 { agentBytes += max(0, Glibc.write(agent, bytes, bytes.count)) }
  }

  private mutating func file(of id: RunID) -> Int32? {
    if let index = open.lastIndex(where: { $0.id == id }) {
      let run = open.remove(at: index)
      open.append(run)
      return run.fd
    }
    let directory = runs + "/" + id.text
    let path = directory + "/log.ndjson"
    // a program may have put anything in its place
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW
    var fd = RegularFile.open(path, flags)
    if fd < 0, errno == ENOENT {
      mkdir(directory, 0o700)
      fd = RegularFile.open(path, flags)
    }
    guard fd >= 0 else { return nil }
    open.append((id, fd))
    if open.count > Self.most { close(open.removeFirst().fd) }
    return fd
  }
}
