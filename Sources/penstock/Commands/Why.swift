import ArgumentParser
import Core
import Foundation
import Host
import Store

struct Why: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells why a drop is where it is, or why a run went as it did.",
    discussion: "A drop is named by its name, or by its path in the inbox or below var/; a name that may also be a run "
      + "is taken for the run: write `inbox/7` for a drop called 7.")

  @OptionGroup var place: Place

  @Argument(help: ArgumentHelp("A drop or a run.", valueName: "file-or-run"))
  var subject: String

  @Argument(help: "Only this stage of the run.")
  var stage: String?

  func run() async throws {
    let workspace = try place.workspace()
    var raw = RawArguments.standard()
    let word = raw.bytes(of: subject)
    let reader = try place.readerIfAny(workspace)
    switch try await SubjectReading(workspace: workspace, reader: reader).read(word) {
    case .run(let run):
      guard let reader else { throw CommandFailure(RunList.empty) }
      try await tell(of: run, workspace, reader)
    case .drop(let name): try await tell(of: name, workspace, reader)
    }
  }

  private func tell(
    of run: Run, earlier: [Run] = [], _ workspace: Workspace, _ reader: StateReader
  ) async throws {
    var answer = try await RunWhy.read(run, stage: stage, reader, now: Date())
    answer.earlier = earlier
    if !run.state.isTerminal {
      answer.hook = HookAtWork.all(in: try? place.ask(.live, workspace), now: Date()).first { $0.run == run.id }
    }
    if let stage {
      let names = answer.whole.stageNames
      guard names.contains(stage) else {
        let hint = Nearest.hint(for: stage, among: names, called: "stages").map { "; \($0)" } ?? ""
        throw CommandFailure("run \(run.number) has no stage `\(Display.brief(stage))`\(hint)")
      }
    }
    try place.give(answer)
  }

  private func tell(of name: FileName, _ workspace: Workspace, _ reader: StateReader?) async throws {
    let runs = try await reader?.runs(onDrop: name, limit: 6) ?? []
    let view = try await InboxReading(workspace: workspace, place: place, reader: reader).read(only: name)
    guard let entry = view.inbox.entries.first(where: { $0.name == name }) else {
      guard let reader, let newest = runs.first else { throw unknown(name, view.inbox) }
      return try await tell(of: newest, earlier: Array(runs.dropFirst()), workspace, reader)
    }
    if stage != nil {
      throw CommandFailure("`\(name.displayed)` is in the inbox: it has no run yet, and so no stages")
    }
    try place.give(DropWhy(entry: entry, view: view, earlier: runs, now: Date()))
  }

  private func unknown(_ name: FileName, _ inbox: InboxView) -> CommandFailure {
    if let trouble = inbox.trouble { return CommandFailure(trouble, code: ExitCodes.degraded) }
    let near = Nearest.name(to: name.displayed, among: inbox.entries.map(\.name.displayed))
    return CommandFailure(
      "no drop `\(name.displayed)` is in the inbox, and no run had one"
        + (near.map { "; did you mean `\($0)`?" } ?? "; `penstock inbox` and `penstock runs` list what there is"))
  }
}
