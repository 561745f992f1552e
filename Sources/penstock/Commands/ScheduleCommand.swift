import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct ScheduleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Tells which pipelines run by the clock, and when next; pauses and resumes them.",
    subcommands: [ScheduleList.self, ScheduleNext.self, SchedulePause.self, ScheduleResume.self],
    defaultSubcommand: ScheduleList.self)
}

extension Place {
  /// The pipelines in force of an agent at work, else what the files say now.
  func versionsInForce(_ workspace: Workspace) async throws -> ([PipelineVersion], StateReader?) {
    let reader = try readerIfAny(workspace)
    if let reader, try ask(.ping, workspace) != nil {
      return (try await PipelinesInForce(workspace: workspace, place: self, reader: reader).versions(), reader)
    }
    return (registry(workspace).pipelines.compactMap(\.version), reader)
  }
}

struct ScheduleList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the schedules.")

  @OptionGroup var place: Place

  func run() async throws {
    let (versions, reader) = try await place.versionsInForce(try place.workspace())
    let now = Date()
    try place.give(ScheduleTable(views: try await ScheduleView.all(versions, reader, now: now), now: now))
  }
}

struct ScheduleTable: Answer {
  var views: [ScheduleView]
  var now: Date

  static let none = "no pipeline runs by the clock: give one `trigger: { schedule: { cron: \"30 2 * * *\" } }`"

  func json() -> JSON { ["api": 1, "schedules": .array(views.map(\.json))] }

  func lines(_ output: Output) -> [String] {
    if views.isEmpty { return [Self.none] }
    let time = LocalTime(now: now)
    var table = Table([
      .giving("pipeline"), .left("schedule"), .left("zone"), .left("state"), .left("next"), .giving("last slot"),
    ])
    for view in views {
      let isOdd = view.past.first?.isMisfire ?? false
      table.add([
        .init(Shown.words(view.pipeline), .strong), .init(view.schedule.words), .init(Shown.words(view.zone ?? "")),
        .init(view.state, view.state == "on" ? .good : .odd),
        .init(time.text(view.next.map { view.fires($0) })),
        .init(view.past.first.map { ScheduleView.words($0, time) } ?? "", isOdd ? .odd : .plain),
      ])
    }
    return table.lines(output)
  }
}

struct SchedulePause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Lets a pipeline begin no runs by the clock, until it is resumed.",
    discussion: "It stays so when the agent is started again. Runs that have begun go on.")

  @OptionGroup var place: Place
  @Argument(help: "A pipeline that has a schedule.") var pipeline: String

  func run() async throws { try await place.set(pipeline, paused: true) }
}

struct ScheduleResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Lets a pipeline run by the clock again, with its next slot.",
    discussion: "What came up while it was paused is not made up for.")

  @OptionGroup var place: Place
  @Argument(help: "A pipeline that has a schedule.") var pipeline: String

  func run() async throws { try await place.set(pipeline, paused: false) }
}

extension Place {
  fileprivate func set(_ pipeline: String, paused: Bool) async throws {
    let workspace = try workspace()
    if let answer = try ask(.schedule(pipeline, paused: paused), workspace) {
      guard answer["ok"]?.bool == true else { throw CommandFailure(answer["error"]?.string ?? "the agent refused") }
    } else {
      try await alone(workspace) { assembly in
        try await assembly.agent.configs.lookUp()
        do { try await assembly.agent.scheduler.set(pipeline, paused: paused) } catch let refusal as Starter.Refusal {
          throw CommandFailure(refusal.description)
        }
      }
    }
    if json {
      try Output.print(["api": 1, "pipeline": .string(pipeline), "paused": .bool(paused)])
    } else {
      Output.print("the schedule of \(Shown.words(pipeline)) " + (paused ? "is paused" : "goes on with its next slot"))
    }
  }
}
