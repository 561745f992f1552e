import ArgumentParser
import Core
import Engine
import Foundation
import Host
import Store

struct Clear: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc",
    abstract: "Clears away what ended runs left and the settings no longer keep.",
    discussion:
      "`retention:` in etc/penstock.yaml says how long; the agent does it each night. Drops in done, failed and "
      + "quarantine stay unless it names them, and so do the latest done drops, which later runs read.")

  @OptionGroup var place: Place

  @Flag(help: "Only tell what would go.")
  var dryRun = false

  func run() async throws {
    let workspace = try place.workspace()
    let cleared: Clearance
    if let answer = try place.ask(.clear(dry: dryRun), workspace, timeout: nil) {
      guard answer["ok"]?.bool == true, let json = answer["cleared"] else {
        throw CommandFailure(answer["error"]?.string ?? "the agent refused", code: ExitCodes.tryLater)
      }
      cleared = ClearanceJSON.clearance(json)
    } else if try place.readerIfAny(workspace) == nil {
      cleared = Clearance()
    } else {
      cleared = try await place.alone(workspace) { try await $0.agent.housekeeper.clear(dry: dryRun) }
    }
    try place.give(ClearancePage(cleared: cleared, isDry: dryRun))
    if let trouble = cleared.troubles.first { throw CommandFailure(trouble, code: ExitCodes.runFailed) }
  }
}

struct ClearancePage: Answer {
  var cleared: Clearance
  var isDry: Bool

  func json() -> JSON { ClearanceJSON.json(cleared).merging(["api": 1, "dry_run": .bool(isDry)]) }

  func lines(_ output: Output) -> [String] {
    if cleared.count == 0 {
      return ["nothing is old enough to go; `retention:` in etc/penstock.yaml says how long it stays"]
    }
    var table = Table([.left(isDry ? "would go" : "gone"), .right("count"), .right("size"), .left("")])
    func row(_ what: String, _ heap: Clearance.Heap?, _ place: String) {
      guard let heap, heap.count > 0 else { return }
      table.add([.init(what), .init("\(heap.count)"), .init(Shown.bytes(heap.bytes)), .init(place, .quiet)])
    }
    if cleared.runs > 0 { table.add([.init("runs of the history"), .init("\(cleared.runs)"), "", ""]) }
    row("artifacts of runs", cleared.places[.artifacts], "var/runs/")
    row("logs of runs", cleared.places[.logs], "var/runs/")
    row("done drops", cleared.places[.done], "var/done/")
    row("failed drops", cleared.places[.failed], "var/failed/")
    row("quarantined drops", cleared.places[.quarantine], "var/quarantine/")
    row("logs of the agent", cleared.litter[.logs], "var/logs/")
    row("cached results", cleared.litter[.cache], "var/cache/")
    row("half-made drops", cleared.litter[.inbox], "inbox/")
    let sum = "\(Shown.bytes(cleared.bytes)) in all" + (isDry ? "; without --dry-run it goes" : "")
    return table.lines(output) + ["", sum]
  }
}

/// What was cleared away, as JSON and back.
enum ClearanceJSON {
  static func json(_ cleared: Clearance) -> JSON {
    var heaps: [String: JSON] = [:]
    for place in AtticPlace.allCases { heaps[key(place)] = json(cleared.places[place]) }
    for kind in Litter.Kind.allCases { heaps[key(kind)] = json(cleared.litter[kind]) }
    return .object(heaps).merging([
      "runs": .integer(cleared.runs), "bytes": .integer(cleared.bytes),
      "troubles": .array(cleared.troubles.map { .string($0) }),
    ])
  }

  static func clearance(_ json: JSON) -> Clearance {
    var cleared = Clearance()
    cleared.runs = whole(json["runs"])
    for place in AtticPlace.allCases { cleared.places[place] = heap(json[key(place)]) }
    for kind in Litter.Kind.allCases { cleared.litter[kind] = heap(json[key(kind)]) }
    cleared.troubles = (json["troubles"]?.array ?? []).compactMap(\.string)
    return cleared
  }

  private static func key(_ place: AtticPlace) -> String { place == .logs ? "run_logs" : place.rawValue }

  private static func key(_ kind: Litter.Kind) -> String {
    switch kind {
    case .logs: "agent_logs"
    case .inbox: "half_made"
    case .cache: "cache"
    }
  }

  private static func json(_ heap: Clearance.Heap?) -> JSON {
    ["count": .integer(heap?.count ?? 0), "bytes": .integer(heap?.bytes ?? 0)]
  }

  private static func heap(_ json: JSON?) -> Clearance.Heap {
    Clearance.Heap(count: whole(json?["count"]), bytes: whole(json?["bytes"]))
  }

  private static func whole(_ json: JSON?) -> Int { json?.double.map { Int($0) } ?? 0 }
}
