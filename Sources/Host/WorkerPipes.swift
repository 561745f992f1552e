import Core
import Glibc

/// What one worker is given as descriptors, and our ends.
struct WorkerPipes {
  /// A socket, for writing to a pipe whose reader is gone raises SIGPIPE.
  let input: Descriptor
  let output: Descriptor
  let log: Descriptor
  let order: SpawnOrder

  /// - Throws: `SystemError` where no descriptor is left.
  init(for request: ProgramRequest) throws {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    try SystemError.check(socketpair(AF_UNIX, kind, 0, &ends), "make a socket")
    input = Descriptor(owning: ends[0])
    let programInput = Descriptor(owning: ends[1])
    let (output, programOutput) = try ProgramPipes.pipe()
    let (log, programLog) = try ProgramPipes.pipe()
    self.output = output
    self.log = log
    order = try SpawnOrder(
      SpawnerWire.body(request, tells: true), stdio: [programInput, programOutput, programLog])
  }

  /// Sends without waiting and without SIGPIPE; how much was taken, -1 with errno where nothing was.
  static func send(_ bytes: ArraySlice<UInt8>, to input: Descriptor) -> Int {
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
    return bytes.withUnsafeBytes { Glibc.send(input.number, $0.baseAddress, $0.count, flags) }
  }
}
