import ArgumentParser
import Core
import Foundation

struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema",
    abstract: "Prints a JSON Schema (draft 2020-12).",
    discussion: "Names: \(Schemas.names.joined(separator: ", ")).")

  @Argument(help: "Which one; without it their names.", completion: .list(Schemas.names))
  var name: String?

  @Flag(help: "Accepted for likeness: a schema is JSON anyway.")
  var json = false

  func run() throws {
    guard let name else {
      if json { return try Output.print(["api": 1, "schemas": .array(Schemas.names.map { .string($0) })]) }
      Output.print(Schemas.names.joined(separator: "\n"))
      return
    }
    guard let text = Schemas.named(name) else {
      let hint = Nearest.hint(for: name, among: Schemas.names, called: "schemas") ?? ""
      throw CommandFailure("no schema is called `\(Display.brief(name))`; \(hint)")
    }
    Output.print(text, terminator: "")
  }
}
