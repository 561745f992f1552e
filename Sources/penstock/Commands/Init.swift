import ArgumentParser
import Core
import Foundation
import Host

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes a new workspace that works at once.",
    discussion: "A workspace that is there already is left as it is.")

  @Argument(help: "The directory; made where it is missing.", completion: .directory)
  var directory: String

  @Flag(help: "Answer in JSON.")
  var json = false

  func run() throws {
    let made = try WorkspaceTemplate.make(in: directory)
    let page = InitPage(directory: directory, files: made)
    switch json {
    case true: try Output.print(page.json())
    case false: Output.print(page.lines(.standard()).joined(separator: "\n"))
    }
  }
}

struct InitPage: Answer {
  /// As typed.
  var directory: String
  /// Relative paths; `nil` where the workspace was there already.
  var files: [String]?

  func json() -> JSON {
    [
      "api": 1, "directory": .string(directory), "created": .bool(files != nil),
      "files": .array((files ?? []).map { .string($0) }),
    ]
  }

  func lines(_ output: Output) -> [String] {
    let shown = Shown.words(directory)
    guard files != nil else {
      return ["`\(shown)` is a workspace already; nothing was changed"]
    }
    let (change, from) =
      directory == "."
      ? ("", "samples") : (" -C " + Self.quoted(directory), Self.quoted(directory) + "/samples")
    var next = Table([.left(""), .left("")], indent: 2)
    next.add([.init("penstock\(change) put \(from)/rivers.csv", .strong), .init("# drop a file", .quiet)])
    next.add([
      .init("penstock\(change) up --once", .strong), .init("# work until nothing is left to do", .quiet),
    ])
    next.add([.init("penstock\(change) show last", .strong), .init("# see what came of it", .quiet)])
    return ["made the workspace `\(shown)`, with a small pipeline that takes any `.csv`", "", "next:"]
      + next.lines(output)
  }

  /// As a shell takes it.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-+,:@".contains($0)) }
    return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
  }
}
