import ArgumentParser
import Core
import Host
import Store

/// A run as people name it: by its number, its id or the beginning of it, `last`, or by its drop.
enum RunArgument {
  static let help: ArgumentHelp = "A number, an id or its beginning, `last`, or a drop: its newest run."

  static func read(_ text: String, _ workspace: Workspace, _ reader: StateReader) async throws -> Run {
    var raw = RawArguments.standard()
    return try await SubjectReading(workspace: workspace, reader: reader).run(raw.bytes(of: text))
  }
}
