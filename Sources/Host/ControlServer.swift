import CSystem
import Core
import Glibc
import Synchronization

/// `var/penstock.sock`: one JSON line in, one JSON line out, for the user of the agent alone.
package final class ControlServer: Sendable {
  /// One caller and what it asked.
  package struct Call: Sendable {
    package let line: [UInt8]
    fileprivate let connection: Descriptor

    /// Answers and hangs up; a caller that is gone is no error.
    package func answer(_ line: String) {
      _ = UnixSocket.send(connection.number, Array(line.utf8) + [0x0A])
      connection.close()
    }
  }

  /// The socket while it has its name.
  private struct Listening {
    var listener: Descriptor
    var registration: Reactor.Registration
    var sentinel: FileSentinel?
  }

  private struct Caller {
    var connection: Descriptor
    var registration: Reactor.Registration
    var line: [UInt8]
  }

  /// Callers that have not asked yet; one more is turned away.
  private static let mostCallers = 64
  /// How long one may take to ask.
  private static let patience = Duration.seconds(10)
  /// A longer request is none.
  private static let longest = 1 << 20

  private let path: String
  private let reactor: Reactor
  private let state = Mutex<(listening: Listening?, isStopped: Bool)>((nil, false))
  private let calls: AsyncStream<Call>.Continuation
  private let callers = Mutex<[Int32: Caller]>([:])

  /// Every call, in order; ends with `stop`.
  package let incoming: AsyncStream<Call>

  /// Listens; a socket that a dead agent left is replaced, for the lock is held, and one that somebody removes is made
  /// anew.
  package init(path: String, reactor: Reactor) throws {
    self.path = path
    self.reactor = reactor
    (incoming, calls) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1024))
    let listening = try listen()
    state.withLock { $0.listening = listening }
  }

  private func listen() throws -> Listening {
    let fd = try UnixSocket.make()
    let listener = Descriptor(owning: fd)
    unlink(path)
    // until it has its mode others may reach it, and are turned away by who they are
    let bound = try UnixSocket.address(path) { bind(fd, $0, $1) }
    guard bound == 0, chmod(path, 0o600) == 0, Glibc.listen(fd, 64) == 0 else {
      throw HostError.failed("listen on", path)
    }
    _ = fcntl(fd, F_SETFL, O_NONBLOCK)
    let registration = try reactor.register(fd, for: .readable) { [weak self] _ in self?.accept(at: fd) }
    // without it a socket that is removed stays so until the next agent
    let sentinel = try? FileSentinel(paths: [path], reactor: reactor) { [weak self] in self?.lookForName() }
    return Listening(listener: listener, registration: registration, sentinel: sentinel)
  }

  package func stop() {
    state.withLock { $0.isStopped = true }
    leave()
    unlink(path)
    calls.finish()
  }

  private func leave() {
    let left = state.withLock { state in
      defer { state.listening = nil }
      return state.listening
    }
    if let left { end(left) }
  }

  private func end(_ listening: Listening) {
    listening.sentinel?.stop()
    reactor.cancel(listening.registration)
    listening.listener.close()
  }

  private func lookForName() {
    var status = stat()
    if lstat(path, &status) == 0 || state.withLock({ $0.isStopped }) { return }
    leave()
    guard let anew = try? listen() else { return }
    let isLate = state.withLock { state in
      if !state.isStopped { state.listening = anew }
      return state.isStopped
    }
    guard isLate else { return }
    end(anew)
    unlink(path)
  }

  private func accept(at listener: Int32) {
    while true {
      let fd = caller_accept(listener)
      guard fd >= 0 else { return }
      let user = caller_user(fd)
      guard user == Int(geteuid()) || user == 0 else {
        close(fd)
        continue
      }
      let connection = Descriptor(owning: fd)
      guard let registration = try? reactor.register(fd, for: .readable, handler: { [weak self] _ in self?.read(fd) })
      else { continue }
      let isWelcome = callers.withLock { $0.count < Self.mostCallers }
      guard isWelcome else {
        reactor.cancel(registration)
        connection.close()
        continue
      }
      _ = reactor.after(Self.patience) { [weak self] in self?.hangUp(registration, fd) }
      callers.withLock { $0[fd] = Caller(connection: connection, registration: registration, line: []) }
    }
  }

  /// Lets a caller go who has not asked in time.
  private func hangUp(_ registration: Reactor.Registration, _ fd: Int32) {
    let caller = callers.withLock { callers -> Caller? in
      // the number may be another caller's by now
      guard callers[fd]?.registration == registration else { return nil }
      return callers.removeValue(forKey: fd)
    }
    guard let caller else { return }
    reactor.cancel(caller.registration)
    caller.connection.close()
  }

  /// Whether the caller has hung up: nobody hears any more what is done for it.
  private static func isGone(_ fd: Int32) -> Bool {
    var state = pollfd(fd: fd, events: 0, revents: 0)
    return poll(&state, 1, 0) > 0 && state.revents & Int16(POLLHUP) != 0
  }

  private func read(_ fd: Int32) {
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let got = recv(fd, &buffer, buffer.count, 0)
    if got < 0, errno == EAGAIN || errno == EINTR { return }
    let isAnswered = callers.withLock { callers -> Bool in
      guard var caller = callers[fd] else { return true }
      if got > 0 { caller.line += buffer[..<got] }
      let end = caller.line.firstIndex(of: 0x0A)
      let isOver = end != nil || got <= 0 || caller.line.count > Self.longest
      guard isOver else {
        callers[fd] = caller
        return false
      }
      callers[fd] = nil
      reactor.cancel(caller.registration)
      if let end, !Self.isGone(fd) {
        _ = fcntl(fd, F_SETFL, 0)
        UnixSocket.setTimeout(fd, SO_SNDTIMEO, seconds: 5)
        calls.yield(Call(line: Array(caller.line[..<end]), connection: caller.connection))
      } else {
        caller.connection.close()
      }
      return true
    }
    _ = isAnswered
  }
}
