import Core
import Foundation
import Store
import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(5))) struct DispatcherTests {
  @Test func `S08 who waits for a run is told when nothing can be recorded any more`() async throws {
    let place = try await Aftermath(stages: [Stage(name: "s", program: ["/bin/true"], timeout: .seconds(9))])
    let dispatcher = place.next().dispatcher
    // of a version that nobody knows, and not in the database: neither its work nor its failure can be recorded
    let run = Run(id: Aftermath.id(1), pipeline: "p", version: "unknown", trigger: .manual, created: Aftermath.noon)
    dispatcher.add(run, priority: 0)
    async let ended = dispatcher.wait(for: run.id)
    while !dispatcher.isWaited(for: run.id) { await Task.yield() }
    await #expect(throws: (any Error).self) { try await dispatcher.run() }
    #expect(await ended == nil)
    #expect(await dispatcher.wait(for: run.id) == nil)
  }
}
