import ArgumentParser
import Core
import Foundation
import Host

struct HookTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Prints a sample envelope of an event, or runs one hook on it.",
    discussion: "No run is made and nothing is recorded.")

  @OptionGroup var place: Place

  @Argument(help: "An event, such as before-run or after-train.")
  var event: String

  @Argument(help: "The program to run on it; without one the envelope is printed.", completion: .file())
  var program: String?

  func run() async throws {
    let workspace = try place.workspace()
    let stages = place.registry(workspace).pipelines.compactMap(\.version).flatMap(\.pipeline.stages)
    let known = HookNames.all(stages: stages.map(\.name))
    guard known.contains(event) else {
      let hint =
        Nearest.hint(for: event, among: known, called: "events") ?? "`penstock hooks` lists the hooks"
      throw CommandFailure("no event is called `\(Display.brief(event))`; \(hint)")
    }
    let settings = place.settings(workspace).settings
    let sample = SampleEnvelope(
      event: event, stages: stages, home: workspace.home, now: Date(), timeout: settings.hookTimeout)
    guard let program else {
      Output.print(String(decoding: try sample.line(), as: UTF8.self), terminator: "")
      return
    }
    try await call(program, sample, workspace, settings)
  }

  private func call(_ program: String, _ sample: SampleEnvelope, _ workspace: Workspace, _ settings: Settings)
    async throws
  {
    let environment = ProcessInfo.processInfo.environment
    let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let file = HostPrograms(home: workspace.home, path: path).resolve(program, hashing: false)
    if let refusal = file.refusal { throw CommandFailure("hook `\(file.shown)` does not run: \(refusal)") }
    let reactor = try Reactor()
    let runner = SpawnerRunner(spawner: Machine.programDirectory() + "/penstock-spawner", reactor: reactor)
    let request = ProgramRequest(
      executable: file.path, arguments: [file.path], environment: sample.environment(from: environment),
      directory: workspace.home, input: try sample.line(), timeout: settings.hookTimeout,
      grace: settings.grace,
      onLogLine: { Output.chat("│ " + Shown.words(String(decoding: $0, as: UTF8.self))) })
    let result: Result<ProgramResult, any Error>
    do { result = .success(try await runner.run(request)) } catch { result = .failure(error) }
    await runner.stop()
    reactor.stop()
    let verdict = HookTrial(program: file.shown, result: try result.get())
    try place.give(verdict)
    if verdict.failure != nil { throw ExitCode(ExitCodes.runFailed) }
  }
}
