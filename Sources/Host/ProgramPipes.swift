import CSystem
import Core
import Glibc

/// What goes to the spawner for one program: the request, in its packet where it is short enough, and descriptors.
struct SpawnOrder {
  /// To follow the head of the packet.
  let body: [UInt8]
  /// In the order of wire.h: body, where it is not in the packet, stdin, stdout, stderr.
  let given: [Descriptor]
  private let kept: Int

  /// - Parameter kept: how many of the last of `stdio` somebody else lets go of.
  /// - Throws: `SystemError` where no descriptor is left.
  init(_ body: [UInt8], stdio: [Descriptor], keeping kept: Int = 0) throws {
    self.kept = kept
    if body.count <= SpawnerWire.mostInline {
      self.body = body
      given = stdio
    } else {
      self.body = []
      given = [try MemoryFile.holding(body, name: "penstock-request")] + stdio
    }
  }

  /// It is sent, or never will be: our copies would keep the program's pipes open for ever.
  func letGo() {
    for descriptor in given.dropLast(kept) { descriptor.close() }
  }
}

/// What one program is given as descriptors, and our ends of its pipes.
struct ProgramPipes {
  let output: Descriptor
  let log: Descriptor
  /// The program's ends of both, held until its tree is gone: that they end with it is no news then.
  let held: [Descriptor]
  let order: SpawnOrder

  /// - Throws: `SystemError` where no descriptor is left.
  init(for request: ProgramRequest) throws {
    let input = try Self.input(request.input)
    let (output, programOutput) = try Self.pipe()
    let (log, programLog) = try Self.pipe()
    self.output = output
    self.log = log
    held = [programOutput, programLog]
    order = try SpawnOrder(
      SpawnerWire.body(request), stdio: [input, programOutput, programLog], keeping: held.count)
  }

  /// What a program reads on stdin and then the end: a pipe, where it takes it all at once, for that costs the kernel a
  /// third of a file in memory.
  private static func input(_ bytes: [UInt8]) throws -> Descriptor {
    if bytes.count <= pipeBuffer {
      var ends: [Int32] = [-1, -1]
      try SystemError.check(pipe_for_input(&ends), "make a pipe")
      let (reader, writer) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
      defer { writer.close() }
      if bytes.isEmpty || write(writer.number, bytes, bytes.count) == bytes.count { return reader }
    }
    return try MemoryFile.holding(bytes, name: "penstock-input")
  }

  /// What a pipe takes even where the user has too many of them, PIPE_BUF of pipe(7).
  private static let pipeBuffer = 4096

  static func pipe() throws -> (ours: Descriptor, theirs: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(pipe_for_program(&ends), "make a pipe")
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }
}
