import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct HookTest: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Tries hooks on an envelope: a sample, or that of a run.",
    discussion: "With --run or --pipeline the hooks of that moment run one after another, as an agent would call them; "
      + "with a PROGRAM only that one. Otherwise a sample envelope is printed. No run is made, nothing is recorded and no "
      + "decision is obeyed; what a hook does itself it does, and PENSTOCK_TEST=1 tells it.")

  @OptionGroup var place: Place

  @Argument(help: "An event, such as before-run or after-train.")
  var event: String

  @Argument(help: "The program to run on it.", completion: .file())
  var program: String?

  @Option(
    name: .customLong("run"),
    help: ArgumentHelp("The run whose envelope it gets: a number, an id or its beginning, or `last`.", valueName: "RUN")
  )
  var past: String?

  @Option(help: "The pipeline the sample is of.")
  var pipeline: String?

  @Option(help: "The stage, for before-stage and after-stage; else the first.")
  var stage: String?

  @Flag(help: "Print the envelope and run nothing.")
  var envelope = false

  func run() async throws {
    let workspace = try place.workspace()
    let versions = place.registry(workspace).pipelines.compactMap(\.version)
    let whole = try await past.asyncMap { past in
      let reader = try place.reader(workspace)
      return try await WholeRun.read(.id(try await RunArgument.read(past, workspace, reader).id), reader)
    }
    let chosen = try choose(whole?.run.pipeline ?? pipeline, among: versions)
    let stages = chosen?.stages ?? versions.flatMap(\.pipeline.stages)
    try check(stages)
    let settings = place.settings(workspace).settings
    let trial = try await trial(whole, chosen, stages, workspace, settings)
    if envelope || (program == nil && past == nil && pipeline == nil) {
      Output.print(try trial.envelope.line())
      return
    }
    let programs = HostPrograms(
      home: workspace.home, path: ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    if let program {
      let file = programs.resolve(program, hashing: false)
      if let refusal = file.refusal { throw CommandFailure("hook `\(file.shown)` does not run: \(refusal)") }
      let result = try await HookDesk.with { desk in
        try await desk.run(file, [file.path], on: trial, limit: settings.hookTimeout)
      }
      let verdict = HookTrial(program: file.shown, result: result)
      try place.give(verdict)
      if verdict.failure != nil { throw ExitCode(ExitCodes.runFailed) }
      return
    }
    let listing = HookListing.read(
      workspace: workspace, versions: chosen.map { [$0] } ?? [], settings: settings, programs: programs)
    let hooks = listing.hooks(at: event, around: trial.stageName)
    let replay = try await HookDesk.with { desk in try await HookReplay.run(hooks, on: trial, desk) }
    try place.give(replay)
    if case .fail = replay.verdict.decision { throw ExitCode(ExitCodes.runFailed) }
  }

  private func choose(_ name: String?, among versions: [PipelineVersion]) throws -> Pipeline? {
    guard let name else { return nil }
    if let found = versions.first(where: { $0.pipeline.name == name }) { return found.pipeline }
    if past != nil { return nil }
    let hint = Nearest.hint(for: name, among: versions.map(\.pipeline.name), called: "pipelines")
    throw CommandFailure(
      "no pipeline is called `\(Display.brief(name))`" + (hint.map { "; \($0)" } ?? ""))
  }

  private func check(_ stages: [Stage]) throws {
    let known = HookNames.all(stages: stages.map(\.name))
    guard known.contains(event) else {
      let hint = Nearest.hint(for: event, among: known, called: "events") ?? "`penstock hooks` lists the hooks"
      throw CommandFailure("no event is called `\(Display.brief(event))`; \(hint)")
    }
    if let stage, !stages.contains(where: { $0.name == stage }) {
      let hint = Nearest.hint(for: stage, among: stages.map(\.name), called: "stages")
      throw CommandFailure("no stage is called `\(Display.brief(stage))`" + (hint.map { "; \($0)" } ?? ""))
    }
  }

  private func trial(
    _ whole: WholeRun?, _ pipeline: Pipeline?, _ stages: [Stage], _ workspace: Workspace, _ settings: Settings
  ) async throws -> TrialEnvelope {
    guard let whole else {
      var sample = SampleEnvelope(
        event: event, stages: stages, home: workspace.home, now: Date(), timeout: settings.hookTimeout)
      if let pipeline { sample.pipeline = pipeline.name }
      sample.chosen = stage
      return TrialEnvelope(envelope: try JSON(parsing: sample.line()), source: .sample, passed: settings.environment)
    }
    let passed = settings.environment + (pipeline?.environment ?? [])
    if let recorded = RecordedEnvelope.find(event, stage: stage, of: whole.run.id, in: workspace) {
      return TrialEnvelope(envelope: recorded, source: .recorded, passed: passed)
    }
    let reader = try place.reader(workspace)
    let rebuilt = RebuiltEnvelope(
      whole: whole, pipeline: pipeline, event: event, stage: stage, home: workspace.home,
      base: try await reader.context(of: whole.run.id),
      deadline: Timestamp.text(Date() + settings.hookTimeout / .seconds(1)))
    return TrialEnvelope(envelope: try JSON(parsing: rebuilt.line()), source: .rebuilt, passed: passed)
  }
}

extension Optional {
  fileprivate func asyncMap<Other>(_ transform: (Wrapped) async throws -> Other) async rethrows -> Other? {
    guard let self else { return nil }
    return try await transform(self)
  }
}
