import CSystem
import Core
import Glibc
import Synchronization

/// One life of the spawner: its process, the socket to it, its keepers, and the programs they have in hand.
///
/// A program goes to an idle keeper, and to the spawner, which makes one, only where there is none. The socket ends when the
/// spawner and all its keepers are gone, so when `onEnd` comes every program has ended; `SpawnerWatch` sees to it.
final class SpawnerLink: Sendable {
  private struct Packet {
    let bytes: [UInt8]
    let order: SpawnOrder?
  }

  private struct State {
    var runs: [UInt64: any SpawnedProgram] = [:]
    var keepers = Keepers()
    /// Set while keepers are idle.
    var retirement: Reactor.Alarm?
    var outbox: [Packet] = []
    /// Of programs that wait for their `go`, and no keeper holds them.
    var held: [UInt64: SpawnOrder] = [:]
    var registration: Reactor.Registration?
    var watch: SpawnerWatch?
    var waitsForRoom = false
    var hasEnded = false
    var onEnd: [@Sendable () -> Void] = []

    /// False where no keeper is idle.
    mutating func pass(_ order: SpawnOrder, _ operation: SpawnerWire.Operation, token: UInt64) -> Bool {
      let bytes = SpawnerWire.packet(operation, token: token, body: order.body)
      guard keepers.pass(bytes, order.given.map(\.number), token: token) else { return false }
      order.letGo()
      return true
    }

    mutating func send(_ order: SpawnOrder, token: UInt64) {
      outbox.append(Packet(bytes: SpawnerWire.packet(.run, token: token, body: order.body), order: order))
    }
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
      state.watch = SpawnerWatch(of: process, reactor: reactor)
    }
  }

  var hasEnded: Bool { state.withLock { $0.hasEnded } }

  /// Hands `run` to an idle keeper, or else to the spawner.
  ///
  /// - Parameter isHeld: it begins with `go`.
  /// - Throws: `SpawnerGone` where it is too late for it.
  func start(_ run: any SpawnedProgram, _ order: SpawnOrder, isHeld: Bool = false) throws {
    let isOpen = state.withLock { state in
      guard !state.hasEnded else { return false }
      state.runs[run.token] = run
      if state.pass(order, isHeld ? .hold : .run, token: run.token) { return true }
      if isHeld { state.held[run.token] = order } else { state.send(order, token: run.token) }
      return true
    }
    guard isOpen else {
      order.letGo()
      throw gone
    }
    flush()
    wake()
  }

  /// Lets the held program of `token` begin; no effect once it was ended.
  func go(_ token: UInt64) {
    state.withLock { state in
      guard state.runs[token] != nil else { return }
      if let order = state.held.removeValue(forKey: token) {
        if !state.pass(order, .run, token: token) { state.send(order, token: token) }
      } else if !state.keepers.send(SpawnerWire.packet(.go, token: token), toKeeperOf: token) {
        state.keepers.cut(toKeeperOf: token)
      }
    }
    flush()
    wake()
  }

  /// Ends the program of `token` early; no effect once it has ended.
  func cancel(_ token: UInt64) {
    let unbegun = state.withLock { state -> (any SpawnedProgram)? in
      guard state.runs[token] != nil else { return nil }
      if let order = state.held.removeValue(forKey: token) {
        order.letGo()
        return state.runs.removeValue(forKey: token)
      }
      let bytes = SpawnerWire.packet(.cancel, token: token)
      if !state.keepers.send(bytes, toKeeperOf: token) { state.outbox.append(Packet(bytes: bytes, order: nil)) }
      return nil
    }
    if let unbegun { reactor.perform { unbegun.ended(.cancelled(token)) } }
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
        var given: Int32 = -1
        let count = packet_receive(socket.number, buffer.baseAddress, buffer.count, &given)
        if count < 0 && errno == EINTR { continue }
        if count < 0 && errno == EAGAIN { return }
        guard count > 0 else { return end() }
        let line = given < 0 ? nil : Descriptor(owning: given)
        guard let word = SpawnerWire.word(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { continue }
        hear(word, line)
      }
    }
  }

  private func hear(_ word: SpawnerWire.Word, _ line: Descriptor?) {
    switch word {
    case .result(let outcome, let idle):
      let (run, mustRetire) = state.withLock { state in
        if let idle { state.keepers.rest(idle, now: Monotonic.now()) }
        return (state.runs.removeValue(forKey: outcome.token), idle != nil && state.retirement == nil)
      }
      run?.ended(outcome)
      if mustRetire { retire() }
    case .begun(let token, let process):
      state.withLock { $0.runs[token] }?.begun(process: process)
    case .keeper(let serial, let token):
      state.withLock { $0.keepers.add(serial, line: line, token: token) }
    case .gone(let serial, let signal):
      let run = state.withLock { state in
        state.keepers.remove(serial).flatMap { state.runs.removeValue(forKey: $0) }
      }
      run.map { $0.ended(.lost($0.token, signal: signal)) }
    }
  }

  /// Lets keepers go that were idle for long, now and whenever the next one is; on the reactor's thread.
  private func retire() {
    state.withLock { state in
      let now = Monotonic.now()
      state.retirement = state.keepers.retire(now: now).map { next in
        reactor.after(.nanoseconds(next - now)) { [self] in retire() }
      }
    }
  }

  private func end() {
    let (runs, onEnd) = state.withLock { state in
      for order in state.outbox.compactMap(\.order) + state.held.values { order.letGo() }
      defer {
        state.hasEnded = true
        state.runs = [:]
        state.outbox = []
        state.held = [:]
        state.registration = nil
        state.watch = nil
        state.onEnd = []
        state.retirement = nil
      }
      state.keepers.removeAll()
      if let retirement = state.retirement { reactor.cancel(retirement) }
      if let registration = state.registration { reactor.cancel(registration) }
      state.watch?.forget()
      return (state.runs.values.sorted { $0.token < $1.token }, state.onEnd)
    }
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

extension SpawnerWire.Outcome {
  /// Of a program whose keeper was ended, or stopped, by `signal`.
  fileprivate static func lost(_ token: UInt64, signal: Int32) -> Self {
    unbegun(token, .itself, LaunchFailure(step: .keeper, code: signal))
  }

  /// Of one that was to end before it began.
  fileprivate static func cancelled(_ token: UInt64) -> Self {
    unbegun(token, .cancelled, LaunchFailure(step: .request, code: ECANCELED))
  }

  private static func unbegun(_ token: UInt64, _ ending: ProgramResult.Ending, _ failure: LaunchFailure) -> Self {
    Self(
      token: token, ending: ending, termination: .failure(failure),
      usage: ResourceUsage(wall: 0, cpu: 0, peakRSS: nil))
  }
}
