import Core

/// What agent and spawner say to each other, byte for byte; wire.h of penstock-spawner is the other side.
enum SpawnerWire {
  static let magic: UInt32 = 0x4b4e_5450
  static let version: UInt16 = 2

  enum Operation: UInt16 {
    case run = 1
    case cancel = 2
    case result = 3
    case begun = 4
    case keeper = 5
    case gone = 6
    case hold = 7
    case go = 8
  }

  /// What comes of the spawner and the keepers.
  enum Word: Equatable {
    /// The program of the token has ended, and the keeper `idle` waits for its next one.
    case result(Outcome, idle: UInt64?)
    /// It runs, and has this process id.
    case begun(token: UInt64, process: Int32)
    /// A keeper was made for the program of the token; its line comes with it.
    case keeper(serial: UInt64, token: UInt64)
    /// A keeper has ended, by `signal` or, where that is 0, by itself; of the program it had there will be no result.
    case gone(serial: UInt64, signal: Int32)
  }

  /// How the program of one token ended.
  struct Outcome: Equatable {
    let token: UInt64
    let ending: ProgramResult.Ending
    let termination: Result<Termination, LaunchFailure>
    let usage: ResourceUsage
  }

  /// A body of at most so many bytes follows the head of a `run` packet; a longer one goes as a memory file.
  static let mostInline = 8192

  /// - Parameter body: of a `run` packet, where it is short enough.
  static func packet(_ operation: Operation, token: UInt64, body: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(16 + body.count)
    bytes.append(native: magic)
    bytes.append(native: version)
    bytes.append(native: operation.rawValue)
    bytes.append(native: token)
    bytes += body
    return bytes
  }

  /// What goes with a `run` packet.
  /// - Parameter tells: whether the agent wants to hear when the program runs.
  static func body(_ request: ProgramRequest, tells: Bool = false) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2048)
    bytes.append(native: magic)
    bytes.append(native: UInt32(version))
    bytes.append(native: UInt32(request.arguments.count))
    bytes.append(native: UInt32(request.environment.count))
    bytes.append(native: request.timeout?.milliseconds ?? -1)
    bytes.append(native: max(0, request.grace.milliseconds))
    bytes.append(native: UInt64(max(0, request.limits.memory ?? 0)))
    bytes.append(native: UInt64(max(0, request.limits.openFiles ?? 0)))
    bytes.append(native: UInt32((request.limits.idle ? 1 : 0) | (tells ? 2 : 0)))
    bytes.append(native: request.limits.cpuTime?.wholeSeconds ?? 0)
    bytes.append(string: request.executable)
    bytes.append(string: request.directory)
    bytes.append(string: request.exitRecord ?? "")
    for argument in request.arguments { bytes.append(string: argument) }
    for (name, value) in request.environment.sorted(by: { $0.key < $1.key }) {
      bytes.append(string: name + "=" + value)
    }
    return bytes
  }

  /// What `packet` says, `nil` where it says nothing that is known.
  static func word(_ packet: UnsafeRawBufferPointer) -> Word? {
    guard packet.count >= 16, packet.loadUnaligned(as: UInt32.self) == magic,
      packet.loadUnaligned(fromByteOffset: 4, as: UInt16.self) == version,
      let operation = Operation(rawValue: packet.loadUnaligned(fromByteOffset: 6, as: UInt16.self))
    else { return nil }
    let token = packet.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    var value: Int32 { packet.loadUnaligned(fromByteOffset: 16, as: Int32.self) }
    switch (operation, packet.count) {
    case (.result, 64):
      let idle = packet.loadUnaligned(fromByteOffset: 56, as: UInt64.self)
      return outcome(packet).map { .result($0, idle: idle == 0 ? nil : idle) }
    case (.begun, 24): return .begun(token: token, process: value)
    case (.keeper, 24):
      return .keeper(serial: packet.loadUnaligned(fromByteOffset: 16, as: UInt64.self), token: token)
    case (.gone, 24): return .gone(serial: token, signal: value)
    default: return nil
    }
  }

  private static func outcome(_ packet: UnsafeRawBufferPointer) -> Outcome? {
    func word(_ offset: Int) -> Int { Int(packet.loadUnaligned(fromByteOffset: offset, as: Int32.self)) }
    func long(_ offset: Int) -> UInt64 { packet.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
    let endings: [ProgramResult.Ending] = [.itself, .timeout, .cancelled, .abandoned]
    guard endings.indices.contains(word(16)) else { return nil }
    let value = Int32(word(24))
    let termination: Result<Termination, LaunchFailure>
    switch word(20) {
    case 0: termination = .success(.exited(value))
    case 1: termination = .success(.signaled(value))
    default:
      let step = LaunchFailure.Step(rawValue: word(28)) ?? .unknown
      termination = .failure(LaunchFailure(step: step, code: value))
    }
    let peakRSS = Int(clamping: long(48))
    let usage = ResourceUsage(
      wall: Double(long(32)) / 1e9, cpu: Double(long(40)) / 1e9, peakRSS: peakRSS > 0 ? peakRSS : nil)
    return Outcome(token: long(8), ending: endings[word(16)], termination: termination, usage: usage)
  }
}

extension Duration {
  /// Rounded up, at least one.
  fileprivate var wholeSeconds: UInt32 { UInt32(clamping: Swift.max(1, (milliseconds + 999) / 1000)) }

  /// Whole milliseconds, rounded up.
  fileprivate var milliseconds: Int64 {
    let nanoseconds = nanoseconds
    return nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0)
  }
}

extension [UInt8] {
  fileprivate mutating func append(native value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
  }

  fileprivate mutating func append(string: String) {
    append(contentsOf: string.utf8)
    append(0)
  }
}
