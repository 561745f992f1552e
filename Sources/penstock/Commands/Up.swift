import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Up: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs the agent in the foreground.",
    discussion: "Ctrl-C stops it: running stages get a moment to finish; a second Ctrl-C ends them at once. "
      + "What was interrupted goes on with the next `penstock up`.")

  @OptionGroup var place: Place

  @Flag(
    help:
      "Work until nothing is left to do, then exit: 1 where a run failed, 4 where a pipeline is invalid and not in force."
  )
  var once = false

  @Flag(help: "Accepted for later: this version has no dashboard.")
  var noDashboard = false

  func run() async throws {
    let workspace = try place.workspace()
    let console = Console(output: .standard(), json: place.json)
    let assembly = try Assembly(workspace) { console.show($0) }
    console.animate(on: assembly.reactor)
    // also where it cannot begin or cannot say that it has ended: what was said is shown
    defer {
      assembly.tellAll()
      console.finish()
    }
    let agent = assembly.agent
    let signals = try StopSignals(reactor: assembly.reactor) { number in
      agent.stop(because: number == 2 ? "interrupted" : "asked to terminate")
    }
    defer { withExtendedLifetime(signals) {} }
    let server = try ControlServer(path: workspace.socket, reactor: assembly.reactor)
    let started = Date()
    let desk = ControlDesk(agent: agent, bench: assembly.bench, started: started)
    let notifier = SystemdNotifier(environment: ProcessInfo.processInfo.environment, reactor: assembly.reactor)
    try await assembly.store.record(agent: .init(boot: assembly.bench.boot, pid: Int(Machine.pid), started: started))
    assembly.bench.report(Event(at: started, .agentStarted(pid: Machine.pid, home: workspace.home)))
    var failure: (any Error)?
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        // what is asked before recovery is over waits: it would meet half a memory
        let (ready, isReady) = AsyncStream<Never>.makeStream()
        group.addTask {
          for await _ in ready {}
          await desk.serve(server)
        }
        group.addTask {
          defer {
            isReady.finish()
            server.stop()
          }
          try await agent.run(once: once) {
            isReady.finish()
            notifier.ready()
          }
        }
        for try await _ in group {}
      }
    } catch { failure = error }
    notifier.stopping()
    if failure == nil {
      try await assembly.store.record(
        agent: .init(boot: assembly.bench.boot, pid: Int(Machine.pid), started: started, ended: Date()))
      assembly.bench.report(Event(at: Date(), .agentStopped))
    }
    await assembly.close()
    if let failure {
      // what stops a working agent is that it can no longer keep its promises
      guard let trouble = failure as? HostError else { throw failure }
      throw CommandFailure(trouble.description, code: ExitCodes.storageFailed)
    }
    if once, let pause = agent.intake.pauseReason {
      throw CommandFailure("drops were left in the inbox: intake is paused: \(pause)", code: ExitCodes.tryLater)
    }
    let endings = agent.dispatcher.endings
    if once, endings[.failed, default: 0] + endings[.quarantined, default: 0] > 0 {
      throw ExitCode(ExitCodes.runFailed)
    }
    if once, let idle = idleFiles(assembly.agent) {
      throw CommandFailure("\(idle); `penstock check` tells all", code: ExitCodes.degraded)
    }
  }

  /// Which pipelines were not in force, in words: nobody looks at the log of a run by cron that ended well.
  private func idleFiles(_ agent: Agent) -> String? {
    let inForce = Set(agent.book.versions.map(\.path))
    let idle = agent.configs.files.filter { !$0.isValid && !inForce.contains($0.path) }.map {
      "`\(Display.brief($0.path))` is invalid and not in force"
    }
    return idle.isEmpty ? nil : idle.prefix(5).joined(separator: "; ") + (idle.count > 5 ? "; …" : "")
  }
}
