import CSystem
import Core

/// What one program is given as descriptors, and our ends of its pipes.
struct ProgramPipes {
  let output: Descriptor
  let log: Descriptor
  /// In the order of wire.h: body, stdin, stdout, stderr; let go of once they are sent.
  let given: [Descriptor]

  /// - Throws: `SystemError` where no descriptor is left.
  init(for request: ProgramRequest) throws {
    let body = try MemoryFile.holding(SpawnerWire.body(request), name: "penstock-request")
    let input = try MemoryFile.holding(request.input, name: "penstock-input")
    let (output, programOutput) = try Self.pipe()
    let (log, programLog) = try Self.pipe()
    self.output = output
    self.log = log
    given = [body, input, programOutput, programLog]
  }

  static func pipe() throws -> (ours: Descriptor, theirs: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(pipe_for_program(&ends), "make a pipe")
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }
}
