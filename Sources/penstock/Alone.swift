import Core
import Engine
import Foundation
import Host
import Store

extension Place {
  /// Does something to the state where no agent runs, under the lock.
  func alone<Value>(_ workspace: Workspace, _ body: (Assembly) async throws -> Value) async throws -> Value {
    let assembly = try Assembly(workspace) { _ in }
    do {
      let value = try await body(assembly)
      await assembly.close()
      return value
    } catch {
      await assembly.close()
      throw error
    }
  }

  /// Works what `begin` queues to its end, under the lock, and shows what happens.
  func workAlone(_ workspace: Workspace, _ begin: (Assembly) async throws -> [RunID]) async throws -> [RunID] {
    let console = Console(output: .standard(), json: false, quiet: json)
    let assembly = try Assembly(workspace) { console.show($0) }
    console.animate(on: assembly.reactor)
    let agent = assembly.agent
    let signals = try StopSignals(reactor: assembly.reactor) { _ in agent.stop(because: "interrupted") }
    defer { withExtendedLifetime(signals) {} }
    let outcome: Result<[RunID], any Error>
    do {
      try await agent.configs.lookUp()
      let ids = try await begin(assembly)
      try await agent.runQueued()
      outcome = .success(ids)
    } catch {
      outcome = .failure(error)
    }
    await assembly.close()
    console.finish()
    return try outcome.get()
  }
}
