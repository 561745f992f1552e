import Core
import Glibc

/// The other end of `var/penstock.sock`.
package enum ControlClient {
  /// Asks the agent; `nil` where none runs.
  /// - Parameter timeout: seconds to wait for the answer; `nil` waits until it comes.
  /// - Throws: `AgentSilent` where an agent is there and does not answer in time, else `HostError`.
  package static func ask(_ line: String, at path: String, timeout: Int? = 10) throws -> String? {
    let fd = try UnixSocket.make()
    defer { close(fd) }
    // before connect(2), which waits where as many wait already as the agent lets queue
    UnixSocket.setTimeout(fd, SO_SNDTIMEO, seconds: 10)
    if let timeout { UnixSocket.setTimeout(fd, SO_RCVTIMEO, seconds: timeout) }
    let connected: Int32
    do { connected = try UnixSocket.address(path) { connect(fd, $0, $1) } } catch { return nil }
    guard connected == 0 else {
      if errno == ENOENT || errno == ECONNREFUSED { return nil }
      if errno == EAGAIN { throw AgentSilent() }
      throw HostError.failed("reach the agent at", path)
    }
    guard UnixSocket.send(fd, Array(line.utf8) + [0x0A]) else { throw HostError.failed("ask the agent at", path) }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while answer.last != 0x0A {
      let got = recv(fd, &buffer, buffer.count, 0)
      if got < 0, errno == EINTR { continue }
      if got < 0, errno == EAGAIN { throw AgentSilent() }
      if got < 0 { throw HostError.failed("hear from the agent at", path) }
      if got == 0 { break }
      answer += buffer[..<got]
    }
    guard answer.last == 0x0A else { throw HostError("the agent hung up without an answer") }
    return String(decoding: answer.dropLast(), as: UTF8.self)
  }

  /// Whether somebody listens there, who may be too busy to answer.
  package static func isHeard(at path: String) -> Bool {
    guard let fd = try? UnixSocket.make() else { return false }
    defer { close(fd) }
    UnixSocket.setTimeout(fd, SO_SNDTIMEO, seconds: 1)
    guard let connected = try? UnixSocket.address(path, { connect(fd, $0, $1) }) else { return false }
    return connected == 0 || errno == EAGAIN
  }
}

/// An agent is there and says nothing.
package struct AgentSilent: Error, CustomStringConvertible {
  package var description: String {
    "the agent is there and does not answer: it was stopped (SIGSTOP; `kill -CONT` lets it go on), its disk hangs, or "
      + "it still takes up what an earlier one left; "
      + "`penstock status` tells what is recorded, `penstock runs` and `show` do without it"
  }
}
