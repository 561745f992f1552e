import ArgumentParser
import Core
import Foundation
import Host

struct Put: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Drops files into the inbox safely: temporary name, fsync, rename.",
    discussion: "Works with and without a running agent. `-` reads stdin and needs --as.")

  @OptionGroup var place: Place

  @Argument(help: "Files to drop; they stay where they are.", completion: .file())
  var files: [String]

  @Option(name: .customLong("as"), help: "The name in the inbox; with one file only.")
  var name: String?

  func validate() throws {
    if name != nil, files.count > 1 {
      throw ValidationError("--as names one drop: give it one file, not \(files.count)")
    }
    if files.contains("-"), name == nil { throw ValidationError("stdin has no name: add --as NAME") }
  }

  func run() async throws {
    let workspace = try place.workspace()
    let run = ProcessInfo.processInfo.environment["PENSTOCK_RUN"].flatMap { RunID($0) }
    let producer = try Producer(inbox: workspace.inbox, of: run)
    var put: [JSON] = []
    var raw = RawArguments.standard()
    let asked = name.map { raw.bytes(of: $0) }
    for file in files.map({ raw.bytes(of: $0) }) {
      let target = asked ?? file.lastPart
      let bytes = try producer.put(file, as: target)
      if place.json {
        put.append(.object(JSONName.members(of: target).merging(["bytes": .integer(bytes)]) { first, _ in first }))
      } else {
        Output.chat("put \(target.displayed) (\(Quantity.text(bytes: bytes)))")
      }
    }
    if place.json { try Output.print(["api": 1, "put": .array(put)]) }
  }
}
