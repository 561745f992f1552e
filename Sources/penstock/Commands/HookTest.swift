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

/// What came of trying a hook.
struct HookTrial: Answer {
  var program: String
  var result: ProgramResult

  private var reply: Result<HookReply, BadReply> {
    do throws(BadReply) { return .success(try HookReply(parsing: result.reply)) } catch {
      return .failure(error)
    }
  }

  /// Why it would count as an error; `nil` where it answers.
  var failure: String? {
    if result.ending == .timeout { return "it took too long and was ended" }
    switch result.termination {
    case .exited(0): if case .failure(let bad) = reply { return "bad reply: \(bad)" } else { return nil }
    case .exited(2), .exited(75): return nil
    case .exited(let code): return "it ended with exit code \(code)"
    case .signaled(let signal): return "it was ended by signal \(signal)"
    case .unstarted(let why): return why
    }
  }

  private var decision: String {
    if failure != nil { return "error" }
    switch result.termination {
    case .exited(2): return "deny"
    case .exited(75): return "defer"
    default: if case .success(let reply) = reply { return reply.decision.rawValue } else { return "error" }
    }
  }

  private var reason: String? {
    if let failure { return failure }
    if case .success(let reply) = reply { return reply.reason } else { return nil }
  }

  func json() -> JSON {
    [
      "api": 1, "program": .string(Display.escaped(program)), "decision": .string(decision),
      "reason": reason.map { .string($0) } ?? .null, "wall_s": .number(result.usage.wall),
      "cpu_s": .number(result.usage.cpu), "reply": .string(String(decoding: result.reply, as: UTF8.self)),
    ]
  }

  func lines(_ output: Output) -> [String] {
    let tone: Output.Tone = failure != nil ? .bad : decision == "allow" ? .good : .odd
    var lines = [
      "\(Shown.words(program)): " + output.toned(decision, tone)
        + " after \(Shown.seconds(result.usage.wall))"
        + (reason.map { ": \(Shown.words($0))" } ?? "")
    ]
    lines += Shown.paragraph(String(decoding: result.reply, as: UTF8.self)).map { "  replied " + $0 }
    return lines
  }
}

/// An envelope as a hook would get it, with made-up values.
struct SampleEnvelope {
  var event: String
  var stages: [Stage]
  var home: String
  var now: Date
  var timeout: Duration

  private static let id = "01930000-0000-7000-8000-000000000000"

  private var stage: Stage? {
    if ["before-stage", "after-stage"].contains(event) { return stages.first }
    return stages.first { event == "before-\($0.name)" || event == "after-\($0.name)" }
  }

  func line() throws -> [UInt8] {
    guard let id = RunID(Self.id) else { throw CommandFailure("the sample run id is none") }
    let isAfter = event.hasPrefix("after-")
    let part = stage.map {
      Envelope.StagePart(
        name: $0.name, attempt: 1, granularity: .coarse, sample: nil, seed: 42, params: $0.params)
    }
    let drop = Drop(
      name: FileName("sample.csv"), bytes: 1234, sha256: String(repeating: "0", count: 64),
      captures: ["name": "sample"])
    return try Envelope(
      event: event,
      run: Envelope.RunPart(
        id: id, number: 7, pipeline: "sample", version: String(repeating: "0", count: 64)),
      drop: Envelope.DropPart(drop), stage: part,
      inputs: [
        Envelope.FilePart(
          name: "input", path: home + "/samples/sample.csv", stage: nil, sha256: drop.sha256, bytes: 1234)
      ],
      out: home, home: home, deadline: Timestamp.text(now + timeout / .seconds(1)),
      outcome: isAfter
        ? Envelope.OutcomePart(
          state: event == "after-run" ? "done" : "ok", reason: nil, termination: .exited(0),
          usage: ResourceUsage(wall: 1.5, cpu: 1.2, peakRSS: 50 << 20)) : nil,
      outputs: isAfter ? [] : nil, metrics: isAfter ? ["rows": 100] : nil
    ).line()
  }

  func environment(from own: [String: String]) -> [String: String] {
    var environment = own.filter { ["PATH", "LANG", "TZ", "HOME"].contains($0.key) }
    environment["PENSTOCK_API"] = "1"
    environment["PENSTOCK_HOME"] = home
    environment["PENSTOCK_EVENT"] = event
    environment["PENSTOCK_RUN"] = Self.id
    environment["PENSTOCK_PIPELINE"] = "sample"
    environment["PENSTOCK_STAGE"] = stage?.name
    environment["PENSTOCK_OUT"] = home
    return environment
  }
}
