import Glibc
import Host

/// The processes and descriptors of a runner and its spawner before much is run, to be found again afterwards.
struct Footprint: Sendable {
  private let runner: SpawnerRunner
  private let spawner: Int32
  private let own: Int
  private let theirs: Int

  /// Starts the spawner and waits until its first keeper is gone.
  init(_ fixture: SpawnerFixture) async throws {
    runner = fixture.runner
    _ = try await runner.run(fixture.program("/bin/true"))
    let spawner = try required(runner.process, "a spawner")
    self.spawner = spawner
    try await eventually("the first keeper is gone") { ProcessTable.children(of: spawner).isEmpty }
    own = try ProcessTable.descriptorCount(of: "self")
    theirs = try ProcessTable.descriptorCount(of: "\(spawner)")
  }

  /// Waits until nothing more is there than before, and stops the runner.
  func isLeft() async throws {
    try await eventually("the last keepers are gone") { ProcessTable.children(of: spawner).isEmpty }
    // The Swift runtime opens one or two of its own when it likes; the reactor closes what it has heard the end of.
    try await eventually("the agent closes its ends") { try ProcessTable.descriptorCount(of: "self") < own + 5 }
    try await eventually("the spawner closes its ends") { try ProcessTable.descriptorCount(of: "\(spawner)") <= theirs }
    await runner.stop()
    try require(ProcessTable.children(of: getpid()).isEmpty, "children of the agent")
  }
}
