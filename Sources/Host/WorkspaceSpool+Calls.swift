import CSystem
package import Core
import Glibc

/// What is kept of calls beside the rows, for people: nothing depends on it, so it is not synced.
extension WorkspaceSpool {
  /// Of one run: a hook that puts it off every minute asks for weeks.
  private static let mostRequests = 4 << 20
  private static let mostReply = 64 << 10

  package func noteRequest(_ line: [UInt8], of run: RunID) {
    write(line, of: run, to: "hooks.ndjson", O_APPEND, within: Self.mostRequests)
  }

  package func keepReply(_ reply: [UInt8], of run: RunID, as name: String) -> String? {
    let name = name + ".reply"
    return write(Array(reply.prefix(Self.mostReply)), of: run, to: name, O_TRUNC, within: .max) ? name : nil
  }

  @discardableResult
  private func write(_ bytes: [UInt8], of run: RunID, to name: String, _ how: Int32, within most: Int) -> Bool {
    guard let own = try? runs.directory(run.text, making: true) else { return false }
    let fd = RegularFile.open(name, in: own.fd, O_WRONLY | O_CREAT | O_NOFOLLOW | how)
    guard fd >= 0 else { return false }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, Int(status.st_size) + bytes.count <= most else { return false }
    return Glibc.write(fd, bytes, bytes.count) == bytes.count
  }
}
