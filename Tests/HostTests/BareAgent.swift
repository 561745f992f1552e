import CSystem
import Core
import Glibc
@testable import Host
import TestSupport

/// Speaks to a spawner without a reactor, says what no runner would say, and dies.
final class BareAgent {
  private let socket: Descriptor
  private let process: pid_t
  private(set) var pipes: [ProgramPipes] = []
  /// To its keepers, in the order of their making.
  private(set) var lines: [Descriptor] = []
  private var hasEnded = false

  init() throws {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(packet_socket_pair(&ends), "make a socket")
    socket = Descriptor(owning: ends[0])
    let theirs = Descriptor(owning: ends[1])
    var process: pid_t = 0
    let code = spawn_with_socket(try builtProduct("penstock-spawner"), nil, theirs.number, -1, &process)
    guard code == 0 else { throw SystemError("start the spawner", code: code) }
    self.process = process
  }

  /// - Parameter line: to the keeper that is to have it; `nil` is a new one.
  func run(
    _ request: ProgramRequest, token: UInt64 = 1, _ operation: SpawnerWire.Operation = .run,
    over line: Descriptor? = nil
  ) throws {
    let pipes = try ProgramPipes(for: request)
    try send(
      SpawnerWire.packet(operation, token: token, body: pipes.order.body), pipes.order.given.map(\.number), over: line)
    for descriptor in pipes.order.given { descriptor.close() }
    self.pipes.append(pipes)
  }

  func send(_ bytes: [UInt8], _ descriptors: [Int32] = [], over line: Descriptor? = nil) throws {
    try SystemError.check(
      packet_send((line ?? socket).number, bytes, bytes.count, descriptors, Int32(descriptors.count)), "send")
  }

  /// The next result; waits for it, and keeps the lines of keepers that come before.
  func outcome() throws -> SpawnerWire.Outcome? {
    while true {
      if case .result(let outcome, _) = try word() { return outcome }
    }
  }

  /// The next word, `nil` for one that is not known; waits for it.
  func word() throws -> SpawnerWire.Word? {
    var ready = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
    while poll(&ready, 1, -1) < 0 && errno == EINTR { continue }
    var bytes = [UInt8](repeating: 0, count: 256)
    var line: Int32 = -1
    let count = try SystemError.check(packet_receive(socket.number, &bytes, bytes.count, &line), "receive")
    if count == 0 { throw SystemError("receive", code: ECONNRESET) }
    if line >= 0 { lines.append(Descriptor(owning: line)) }
    return bytes.withUnsafeBytes { SpawnerWire.word(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  func signal(_ number: Int32) { kill(process, number) }

  /// Sets RLIMIT_NOFILE of the spawner.
  func limitDescriptors(_ count: UInt64) throws {
    try SystemError.check(descriptor_limit_set(process, count), "limit descriptors")
  }

  /// What the kernel does to the socket of an agent that is killed.
  func die() { socket.close() }

  /// Whether the spawner has ended; without waiting for it.
  var hasSpawnerEnded: Bool {
    if !hasEnded { hasEnded = waitpid(process, nil, WNOHANG) == process }
    return hasEnded
  }

  /// The exit code of the spawner, once it has ended.
  func waitForSpawner() -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR { continue }
    hasEnded = true
    return status
  }

  deinit {
    guard !hasEnded else { return }
    die()
    kill(process, SIGKILL)
    _ = waitForSpawner()
  }
}
