import Core
import Foundation
import Glibc
@testable import Host
import Testing

@Suite struct SpawnerProtocolTests {
  private let program = ProgramRequest(
    executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/")

  private func unstarted(_ outcome: SpawnerWire.Outcome?) -> LaunchFailure? {
    guard case .failure(let failure) = outcome?.termination else { return nil }
    return failure
  }

  /// The spawner is as well as before.
  private func expectWell(_ agent: BareAgent) throws {
    try agent.run(program, token: 4711)
    let outcome = try agent.outcome()
    #expect(outcome?.token == 4711)
    #expect(outcome?.termination == .success(.exited(0)))
  }

  @Test(.timeLimit(.minutes(5))) func `a packet that is no packet is dropped`() throws {
    let agent = try BareAgent()
    try agent.send([1])
    try agent.send([UInt8](repeating: 0, count: 16))
    try agent.send([UInt8](repeating: 0xFF, count: 5000), [0, 1, 2])
    try agent.send(SpawnerWire.packet(.run, token: 3) + [0])
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `a request with too few or too many descriptors is refused`() throws {
    let agent = try BareAgent()
    try agent.send(SpawnerWire.packet(.run, token: 5), [0, 1])
    var outcome = try agent.outcome()
    #expect(outcome?.token == 5)
    #expect(unstarted(outcome) == LaunchFailure(step: .request, code: EPROTO))
    try agent.send(SpawnerWire.packet(.run, token: 6), [0, 1, 2, 0, 1, 2])
    outcome = try agent.outcome()
    #expect(outcome?.token == 6)
    #expect(unstarted(outcome) != nil)
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `an operation or a version that is not known is refused`() throws {
    let agent = try BareAgent()
    var packet = SpawnerWire.packet(.run, token: 7)
    packet[6] = 99
    try agent.send(packet, [0, 1, 2, 0])
    #expect(unstarted(try agent.outcome()) == LaunchFailure(step: .request, code: EPROTO))
    packet = SpawnerWire.packet(.run, token: 7)
    packet[4] = 99
    try agent.send(packet, [0, 1, 2, 0])
    #expect(unstarted(try agent.outcome()) == LaunchFailure(step: .request, code: EPROTO))
    try agent.send(SpawnerWire.packet(.cancel, token: 12345))
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `every cut of a request is refused, none is run`() throws {
    let agent = try BareAgent()
    let whole = SpawnerWire.body(program)
    for length in 0..<whole.count {
      let body = try MemoryFile.holding(Array(whole.prefix(length)), name: "cut")
      try agent.send(SpawnerWire.packet(.run, token: UInt64(length)), [body.number, 0, 1, 2])
      #expect(
        unstarted(try agent.outcome()) == LaunchFailure(step: .request, code: EPROTO), "cut at \(length)")
    }
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `every cut of a request in its packet is refused, none is run`() throws {
    let agent = try BareAgent()
    let whole = SpawnerWire.body(program)
    // of less than its fixed part it is no packet at all
    for length in 64..<whole.count {
      let packet = SpawnerWire.packet(.run, token: UInt64(length), body: Array(whole.prefix(length)))
      try agent.send(packet, [0, 1, 2])
      #expect(
        unstarted(try agent.outcome()) == LaunchFailure(step: .request, code: EPROTO), "cut at \(length)")
    }
    try agent.send(SpawnerWire.packet(.run, token: 1, body: whole), [0, 1, 2, 0])
    #expect(unstarted(try agent.outcome()) == LaunchFailure(step: .request, code: EPROTO))
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `a request longer than a packet goes as a memory file`() throws {
    let agent = try BareAgent()
    var long = program
    for length in [SpawnerWire.mostInline - 1, SpawnerWire.mostInline, SpawnerWire.mostInline + 1, 100_000] {
      long.environment["FILLER"] = ""
      long.environment["FILLER"] = String(repeating: "x", count: length - SpawnerWire.body(long).count)
      #expect(SpawnerWire.body(long).count == length)
      try agent.run(long, token: UInt64(length))
      let outcome = try agent.outcome()
      #expect(outcome?.token == UInt64(length))
      #expect(outcome?.termination == .success(.exited(0)), "a body of \(length) bytes")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a request that claims more strings than it has is refused`() throws {
    let agent = try BareAgent()
    for offset in [8, 12] {
      for count: UInt32 in [2, 1000, .max] {
        var bytes = SpawnerWire.body(program)
        withUnsafeBytes(of: count) { bytes.replaceSubrange(offset..<offset + 4, with: $0) }
        let body = try MemoryFile.holding(bytes, name: "claim")
        try agent.send(SpawnerWire.packet(.run, token: 1), [body.number, 0, 1, 2])
        #expect(unstarted(try agent.outcome())?.step == .request)
      }
    }
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5))) func `a spawner without descriptors says so and recovers`() throws {
    let agent = try BareAgent()
    // it answers, so it has its own descriptors: 0-5
    try agent.send(SpawnerWire.packet(.run, token: 7), [])
    #expect(unstarted(try agent.outcome())?.step == .request)
    // Room for two of the three that come.
    try agent.limitDescriptors(8)
    try agent.run(program, token: 8)
    #expect(unstarted(try agent.outcome()) == LaunchFailure(step: .descriptors, code: EMFILE))
    // The three, and one of two for the socket to a keeper.
    try agent.limitDescriptors(10)
    try agent.run(program, token: 9)
    #expect(unstarted(try agent.outcome()) == LaunchFailure(step: .descriptors, code: EMFILE))
    try agent.limitDescriptors(100)
    try expectWell(agent)
  }

  @Test(.timeLimit(.minutes(5)))
  func `a spawner ends with its agent even when it is asked not to be disturbed`() throws {
    let agent = try BareAgent()
    try expectWell(agent)
    agent.signal(SIGTERM)
    agent.signal(SIGINT)
    agent.signal(SIGHUP)
    try expectWell(agent)
    agent.die()
    #expect(agent.waitForSpawner() == 0)
  }

  @Test(.timeLimit(.minutes(5))) func `a spawner started by hand says what it is`() async throws {
    try await SpawnerFixture.with { fixture in
      let lines = Counter()
      let result = try await fixture.runner.run(
        fixture.program(try fixture.spawner).with {
          $0.onLogLine = { if $0.starts(with: "penstock-spawner: ".utf8) { _ = lines.increment() } }
        })
      #expect(result.termination == .exited(2))
      #expect(lines.value == 1)
    }
  }
}
