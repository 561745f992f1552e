import ArgumentParser
import Core
import Store

/// What `show` tells of the items of a run instead of the run.
struct ItemOptions: ParsableArguments {
  @Flag(help: "The items of its fan-out stages, one by one.")
  var items = false

  @Flag(help: "The items that failed, with their reasons.")
  var failed = false

  @Option(help: "With --items or --failed, those of one stage.")
  var stage: String?

  @Option(help: "With --items or --failed, so many of each stage.")
  var limit = 100

  func read(_ reference: RunReference, _ reader: StateReader) async throws -> ItemList {
    let whole = try await WholeRun.read(reference, reader)
    guard !whole.items.isEmpty else {
      throw CommandFailure("run \(whole.run.number) has no fan-out stage that has begun")
    }
    if let stage, whole.items[stage] == nil {
      let known = whole.stageNames.filter { whole.items[$0] != nil }.map { "`\($0)`" }.joined(separator: ", ")
      throw CommandFailure(
        "run \(whole.run.number) has no fan-out stage `\(Display.brief(stage))`; it has \(known)", code: ExitCodes.usage
      )
    }
    var list = ItemList(run: whole.run, isFailedOnly: failed)
    for name in whole.stageNames where stage.map({ $0 == name }) ?? true {
      guard let progress = whole.items[name] else { continue }
      let items = try await reader.items(
        of: whole.run.id, stage: name, failed: failed ? true : nil, limit: max(1, limit))
      list.stages.append((name, progress, items))
    }
    return list
  }
}

struct ItemList: Answer {
  var run: Run
  var isFailedOnly: Bool
  var stages: [(name: String, progress: ItemProgress, items: [ItemOutcome])] = []

  init(run: Run, isFailedOnly: Bool) {
    self.run = run
    self.isFailedOnly = isFailedOnly
  }

  func json() -> JSON {
    [
      "api": 1, "id": .string(run.id.text), "number": .integer(run.number),
      "stages": .array(
        stages.map { stage in
          stage.progress.json.merging([
            "name": .string(stage.name), "items": .array(stage.items.map(RunJSON.item)),
          ])
        }),
    ]
  }

  func lines(_ output: Output) -> [String] {
    stages.flatMap { stage in
      var table = Table([.left("item"), .left("state"), .right("tries"), .giving("reason")], indent: 2)
      for item in stage.items {
        table.add([
          .init(Shown.words(Display.brief(item.id)), .strong),
          .init(item.state.rawValue, item.state == .failed ? .bad : .good), .init("\(item.tries)"),
          .init(Shown.words(item.reason ?? "")),
        ])
      }
      let all = isFailedOnly ? stage.progress.failed : stage.progress.done
      let more = all > stage.items.count ? ["  … and \(all - stage.items.count) more: `--limit` says how many"] : []
      return [output.toned(Shown.words(stage.name), .strong) + ": " + Shown.items(stage.progress)]
        + (table.isEmpty ? [] : table.lines(output)) + more
    }
  }
}
