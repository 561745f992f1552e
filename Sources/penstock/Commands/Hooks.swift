import ArgumentParser
import Core
import Foundation
import Host

struct Hooks: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the hooks in the order they run, or tries one.",
    subcommands: [HookList.self, HookTest.self], defaultSubcommand: HookList.self)
}

struct HookList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists the hooks in the order they run.")

  @OptionGroup var place: Place

  func run() async throws {
    let workspace = try place.workspace()
    let environment = ProcessInfo.processInfo.environment
    let listing = HookListing.read(
      workspace: workspace, versions: place.registry(workspace).pipelines.compactMap(\.version?.pipeline),
      settings: place.settings(workspace).settings,
      programs: HostPrograms(home: workspace.home, path: environment["PATH"] ?? ""))
    try place.give(HookPage(listing: listing))
  }
}

struct HookPage: Answer {
  var listing: HookListing

  func json() -> JSON {
    [
      "api": 1, "hooks": .array(listing.hooks.map(\.json)),
      "warnings": .array(listing.oddities.map { .string("\($0.mark.file): \($0.message)") }),
    ]
  }

  func lines(_ output: Output) -> [String] {
    var table = Table([
      .left("event"), .giving("hook"), .left("of"), .right("limit"), .left("on error"), .giving("note"),
    ])
    for hook in listing.hooks {
      let isCalled = hook.pipeline != nil || !listing.uncalled.contains(hook.event)
      let note =
        hook.file.refusal.map { "does not run: \($0)" } ?? hook.file.warning ?? (isCalled ? "" : "nothing calls it")
      let program = ([hook.file.shown] + hook.arguments).map { Shown.words($0) }.joined(separator: " ")
      table.add([
        .init(hook.event), .init(program, hook.file.refusal == nil ? .strong : .quiet),
        .init(
          (hook.pipeline.map { Shown.words($0) } ?? "all pipelines")
            + (hook.stages.map { " (\($0.joined(separator: ", ")))" } ?? "")), .init(Quantity.text(hook.timeout)),
        .init(hook.onError.rawValue), .init(Shown.words(note), hook.file.refusal == nil ? .odd : .bad),
      ])
    }
    let odd = listing.oddities.map {
      output.toned("warning: ", .odd) + "\($0.mark.file): \($0.message)" + ($0.hint.map { "; \($0)" } ?? "")
    }
    if table.isEmpty {
      return [
        "no hooks yet: put a program into hooks/EVENT.d/, such as hooks/before-run.d/10-check, and make it executable"
      ] + odd
    }
    return table.lines(output) + odd
  }
}
