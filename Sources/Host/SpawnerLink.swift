import CSystem
import Core
import Glibc
import Synchronization

/// One life of the spawner: its process, the socket to it, and the programs it has in hand.
///
/// The socket ends when the spawner and all its keepers are gone, so when `onEnd` comes every program has ended.
final class SpawnerLink: Sendable {
  private struct Packet {
    let bytes: [UInt8]
    let order: SpawnOrder?
  }

  private struct State {
    var runs: [UInt64: any SpawnedProgram] = [:]
    var outbox: [Packet] = []
    var registration: Reactor.Registration?
    var waitsForRoom = false
    var hasEnded = false
    var onEnd: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())
  private let reactor: Reactor
  private let socket: Descriptor
  let process: pid_t
  private let path: String

  /// Starts the spawner at `path`.
  /// - Parameters:
  ///   - groups: the directory in which it may make control groups.
  ///   - lock: a descriptor the spawner and its keepers hold until the last of them is gone.
  init(path: String, groups: String?, holding lock: Int32?, reactor: Reactor) throws {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(packet_socket_pair(&ends), "make a socket to the spawner")
    socket = Descriptor(owning: ends[0])
    let theirs = Descriptor(owning: ends[1])
    var process: pid_t = 0
    let code = spawn_with_socket(path, groups, theirs.number, lock ?? -1, &process)
    guard code == 0 else { throw SystemError("start the spawner `\(Display.escaped(path))`", code: code) }
    self.process = process
    self.reactor = reactor
    self.path = path
    // Under the lock: the spawner may end before we know the registration.
    try state.withLock { state in
      state.registration = try reactor.register(socket.number, for: .readable) { [self] readiness in
        if readiness.contains(.writable) { flush() }
        receive()
      }
    }
  }

  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Hands `run` to the spawner.
  ///
  /// - Throws: `SpawnerGone` where it is too late for it.
  func start(_ run: any SpawnedProgram, _ order: SpawnOrder) throws {
    let isOpen = state.withLock { state in
      guard !state.hasEnded else { return false }
      state.runs[run.token] = run
      let bytes = SpawnerWire.packet(.run, token: run.token, body: order.body)
      state.outbox.append(Packet(bytes: bytes, order: order))
      return true
    }
    guard isOpen else {
      order.letGo()
      throw gone
    }
    flush()
    wake()
  }

  /// Ends the program of `token` early; no effect once it has ended.
  func cancel(_ token: UInt64) {
    state.withLock { state in
      guard state.runs[token] != nil else { return }
      state.outbox.append(Packet(bytes: SpawnerWire.packet(.cancel, token: token), order: nil))
    }
    wake()
    flush()
  }

  /// One of its programs may have stopped it: then nothing would begin any more, and none be ended that stopped its
  /// keeper too.
  func wake() {
    // in the lock: once it has ended its number may be another's
    state.withLock { if !$0.hasEnded { kill(process, SIGCONT) } }
  }

  /// Tells the spawner to end, and with it all programs; `onEnd` is called when they are gone.
  func stop(onEnd: @escaping @Sendable () -> Void) {
    let hasEnded = state.withLock { state in
      if !state.hasEnded { state.onEnd.append(onEnd) }
      return state.hasEnded
    }
    if hasEnded { return onEnd() }
    shutdown(socket.number, Int32(SHUT_WR))
    wake()
  }

  private var gone: SpawnerGone { SpawnerGone(path: path, process: process) }

  /// Sends as much as the socket takes; the rest goes when it is writable again.
  private func flush() {
    state.withLock { state in
      while let packet = state.outbox.first {
        let descriptors = packet.order?.given.map(\.number) ?? []
        let count = packet_send(
          socket.number, packet.bytes, packet.bytes.count, descriptors, Int32(descriptors.count))
        if count < 0 && errno == EINTR { continue }
        // ETOOMANYREFS: too many descriptors are on their way; some arrive soon. Any other error is followed by
        // the end of the socket.
        if count < 0 && (errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS) { break }
        packet.order?.letGo()
        state.outbox.removeFirst()
      }
      guard let registration = state.registration, state.waitsForRoom == state.outbox.isEmpty else { return }
      state.waitsForRoom.toggle()
      reactor.update(registration, for: state.waitsForRoom ? [.readable, .writable] : .readable)
    }
  }

  private func receive() {
    withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { buffer in
      while true {
        let count = recv(socket.number, buffer.baseAddress, buffer.count, 0)
        if count < 0 && errno == EINTR { continue }
        if count < 0 && errno == EAGAIN { return }
        guard count > 0 else { return end() }
        let packet = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        if let outcome = SpawnerWire.outcome(packet) {
          let run = state.withLock { $0.runs.removeValue(forKey: outcome.token) }
          run?.ended(outcome)
        } else if let (token, process) = SpawnerWire.begun(packet) {
          state.withLock { $0.runs[token] }?.begun(process: process)
        }
      }
    }
  }

  private func end() {
    let (runs, registration, onEnd) = state.withLock { state in
      for packet in state.outbox { packet.order?.letGo() }
      defer {
        state.hasEnded = true
        state.runs = [:]
        state.outbox = []
        state.registration = nil
        state.onEnd = []
      }
      return (state.runs.values.sorted { $0.token < $1.token }, state.registration, state.onEnd)
    }
    if let registration { reactor.cancel(registration) }
    socket.close()
    // It has closed its socket, so it is dead or about to be.
    kill(process, SIGKILL)
    while waitpid(process, nil, 0) < 0 && errno == EINTR { continue }
    for run in runs { run.lost(gone) }
    for job in onEnd { job() }
  }
}

/// What a link has in hand; told on the reactor's thread.
protocol SpawnedProgram: AnyObject, Sendable {
  var token: UInt64 { get }

  /// It runs; only told where it was asked for.
  func begun(process: Int32)

  /// The spawner has spoken.
  func ended(_ outcome: SpawnerWire.Outcome)

  /// It will never be known how it ended.
  func lost(_ error: any Error)
}

/// The spawner has ended, and with it every program it ran.
package struct SpawnerGone: ProgramLost, Equatable, CustomStringConvertible {
  package let path: String
  package let process: Int32

  package var description: String {
    "the spawner `\(Display.escaped(path))` (process \(process)) has ended, and with it every program it ran; "
      + "the next program starts a new one"
  }
}
