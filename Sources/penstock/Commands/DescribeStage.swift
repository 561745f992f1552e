import ArgumentParser
import Core
import Foundation
import Host

struct DescribeStage: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe", abstract: "Writes a manifest to begin with for a program; nothing is run.",
    discussion:
      "The argv is taken as it is, so `'${input}'` and `'${params.NAME}'` may stand in it; files of it that lie in "
      + "`stages/` become its identity. For example: penstock stages describe stages/own/dedupe.sh '${input}' > "
      + "stages/own/dedupe.yaml")

  @OptionGroup var place: Place

  @Option(name: .customLong("as"), help: ArgumentHelp("What pipelines shall call it.", valueName: "KIT/NAME"))
  var name: String?

  @Argument(parsing: .captureForPassthrough, help: "The program and its arguments.")
  var command: [String]

  func run() throws {
    guard !command.isEmpty else { throw CommandFailure("no program is named: `penstock stages describe PROGRAM …`") }
    if let name, !NameRule.path.accepts(name) {
      throw CommandFailure("`--as \(Display.brief(name))`: expected a name such as `own/dedupe`")
    }
    let workspace = try place.workspace()
    var reader = CommandReader(workspace: workspace, current: FileManager.default.currentDirectoryPath)
    let program = command.map { reader.read($0) }
    let skeleton = ManifestSkeleton(
      stage: name ?? reader.name(of: command), summary: reader.summary ?? "Says what it does", program: program,
      files: reader.files)
    for warning in reader.warnings(of: command[0]) { Output.chat("penstock: " + warning) }
    if place.json {
      try Output.print(["api": 1, "name": .string(skeleton.stage), "text": .string(skeleton.text)])
    } else {
      Output.print(skeleton.text, terminator: "")
    }
  }
}

/// An argv as a shell gave it, and the files in it.
struct CommandReader {
  let workspace: Workspace
  let current: String
  /// Those in `stages/`, relative to it.
  private(set) var files: [String] = []
  private(set) var summary: String?

  init(workspace: Workspace, current: String) {
    self.workspace = workspace
    self.current = current
  }

  /// One word as a manifest has it: a stage runs elsewhere, so a path must not depend on where one is.
  mutating func read(_ word: String) -> String {
    guard let path = file(word) else { return word }
    if summary == nil { summary = Self.firstComment(of: path) }
    if let inner = Self.rest(of: path, in: workspace.stages) {
      if !files.contains(inner) { files.append(inner) }
      return "${kit}/" + inner
    }
    if let inner = Self.rest(of: path, in: workspace.home) { return "${home}/" + inner }
    return path
  }

  /// `own/dedupe` for a file of `stages/own/`, else by the name of the first file.
  func name(of command: [String]) -> String {
    let first = files.first ?? "own/" + ((command.compactMap(file).first ?? command[0]) as NSString).lastPathComponent
    let bare = (first as NSString).deletingPathExtension
    let parts = bare.split(separator: "/").map { part in
      String(part.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" })
    }
    return (parts.count > 1 ? parts : ["own"] + parts).joined(separator: "/")
  }

  func warnings(of program: String) -> [String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let wanted = file(program) ?? program
    let found = HostPrograms(home: workspace.home, path: path).resolve(wanted, hashing: false)
    return found.refusal.map { ["`\(found.shown)` would not run: \($0)"] } ?? []
  }

  private func file(_ word: String) -> String? {
    if word.isEmpty || word.contains("${") { return nil }
    let path = URL(fileURLWithPath: word, relativeTo: URL(fileURLWithPath: current + "/")).standardizedFileURL.path
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue else {
      return nil
    }
    return path
  }

  private static func rest(of path: String, in directory: String) -> String? {
    path.hasPrefix(directory + "/") ? String(path.dropFirst(directory.count + 1)) : nil
  }

  /// Of a script: what it says of itself beneath `#!`.
  private static func firstComment(of path: String) -> String? {
    guard let file = FileHandle(forReadingAtPath: path), let head = try? file.read(upToCount: 4096) else { return nil }
    let lines = String(decoding: head, as: UTF8.self).split(separator: "\n", maxSplits: 3).map(String.init)
    guard lines.count > 1, lines[0].hasPrefix("#!"), lines[1].hasPrefix("#") else { return nil }
    let text = lines[1].drop { $0 == "#" || $0 == " " }
    return text.isEmpty ? nil : String(text.last == "." ? text.dropLast() : text)
  }
}
