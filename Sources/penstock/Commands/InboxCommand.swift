import ArgumentParser
import Core
import Foundation
import Host
import Store

struct InboxCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inbox", abstract: "Lists every drop and what it waits for.")

  @OptionGroup var place: Place

  func run() async throws {
    let workspace = try place.workspace()
    let reader = try place.readerIfAny(workspace)
    let read = try await InboxReading(workspace: workspace, place: place, reader: reader).read()
    let view = read.inbox
    let claimed = try await reader?.openRuns().filter { $0.drop != nil } ?? []
    let page = InboxPage(view: view, claimed: claimed, paused: read.paused, invalid: read.invalid, now: Date())
    try place.give(page)
    if let trouble = view.trouble { throw CommandFailure(trouble, code: ExitCodes.degraded) }
  }
}

/// The inbox, and the drops that left it for a run that has not ended.
struct InboxPage: Answer {
  var view: InboxView
  var claimed: [Run]
  /// Why nothing is claimed just now.
  var paused: String?
  var invalid: [InvalidPipeline]
  var now: Date

  func json() -> JSON {
    let runs = claimed.compactMap { run -> JSON? in
      guard let drop = run.drop else { return nil }
      var members = JSONName.members(of: drop.name)
      members["state"] = "claimed"
      members["bytes"] = .integer(drop.bytes)
      members["pipeline"] = .string(run.pipeline)
      members["run"] = .integer(run.number)
      members["run_state"] = .string(run.state.rawValue)
      members["reason"] = run.reason.map { .string($0) } ?? .null
      members["nearest"] = .null
      return .object(members)
    }
    return [
      "api": 1, "drops": .array(view.entries.map(\.json) + runs), "paused": paused.map { .string($0) } ?? .null,
      "invalid_pipelines": .array(invalid.map { .string($0.path) }),
      "trouble": view.trouble.map { .string($0) } ?? .null,
    ]
  }

  func lines(_ output: Output) -> [String] {
    var table = Table([
      .giving("drop"), .right("size"), .left("state"), .giving("pipeline"), .giving("waits"),
    ])
    for entry in view.entries {
      table.add([
        .init(entry.name.displayed, .strong), .init(Shown.bytes(entry.bytes)), entry.cell,
        .init(Shown.words(entry.pipeline ?? "")), .init(entry.words),
      ])
    }
    for run in claimed {
      guard let drop = run.drop else { continue }
      table.add([
        .init(drop.name.displayed, .strong), .init(Shown.bytes(drop.bytes)), .init("claimed", .good),
        .init(Shown.words(run.pipeline)), .init(waits(run)),
      ])
    }
    var notes = paused.map { ["nothing is claimed just now: \(Shown.words($0))"] } ?? []
    if !view.entries(.unmatched).isEmpty { notes += invalid.map(\.words) }
    // an inbox that cannot be read is not empty
    let empty =
      view.trouble == nil ? "the inbox is empty: drop a file with `penstock put FILE`" : "the inbox cannot be looked at"
    return (table.isEmpty ? [empty] : table.lines(output))
      + (notes.isEmpty ? [] : [""] + notes.map { output.toned($0, .odd) })
  }

  private func waits(_ run: Run) -> String {
    let until = run.resumes.map { " until \(LocalTime(now: now).text($0))" } ?? ""
    return "run \(run.number) is \(run.state.rawValue)" + (run.state == .waiting ? until : "")
      + (run.reason.map { ": \(Shown.words($0))" } ?? "")
  }
}

/// The versions drops are routed among: those an agent recorded, else what the files say now.
struct PipelinesInForce {
  let workspace: Workspace
  let place: Place
  let reader: StateReader?

  func versions() async throws -> [PipelineVersion] {
    guard let reader else { return place.registry(workspace).pipelines.compactMap(\.version) }
    var versions: [PipelineVersion] = []
    for config in try await reader.configs() {
      guard let digest = config.activeDigest, let version = try await reader.version(digest: digest) else {
        continue
      }
      versions.append(version)
    }
    return versions
  }
}
