import CSystem
import Core

/// What goes to the spawner for one program: the request, in its packet where it is short enough, and descriptors.
struct SpawnOrder {
  /// To follow the head of the packet.
  let body: [UInt8]
  /// In the order of wire.h: body, where it is not in the packet, stdin, stdout, stderr; let go of once they are sent.
  let given: [Descriptor]

  /// - Throws: `SystemError` where no descriptor is left.
  init(_ body: [UInt8], stdio: [Descriptor]) throws {
    if body.count <= SpawnerWire.mostInline {
      self.body = body
      given = stdio
    } else {
      self.body = []
      given = [try MemoryFile.holding(body, name: "penstock-request")] + stdio
    }
  }
}

/// What one program is given as descriptors, and our ends of its pipes.
struct ProgramPipes {
  let output: Descriptor
  let log: Descriptor
  let order: SpawnOrder

  /// - Throws: `SystemError` where no descriptor is left.
  init(for request: ProgramRequest) throws {
    let input = try MemoryFile.holding(request.input, name: "penstock-input")
    let (output, programOutput) = try Self.pipe()
    let (log, programLog) = try Self.pipe()
    self.output = output
    self.log = log
    order = try SpawnOrder(SpawnerWire.body(request), stdio: [input, programOutput, programLog])
  }

  static func pipe() throws -> (ours: Descriptor, theirs: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(pipe_for_program(&ends), "make a pipe")
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }
}
