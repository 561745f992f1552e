import Core
import Foundation
import Testing

/// The hooks of `hooks/examples/`, switched on in a workspace as their own head says.
enum HookExamples {
  static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/hooks/examples"

  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

  /// The second and third line of an example.
  static func head(of name: String) throws -> (what: String, how: String) {
    let lines = try String(contentsOfFile: folder + "/" + name, encoding: .utf8).split(separator: "\n")
    guard lines.count > 3 else { throw ScenarioFailure("`\(name)` has no head") }
    return (String(lines[1]), String(lines[2]))
  }

  /// What its head tells to type: `ln -s TARGET LINK`.
  static func link(of name: String) throws -> (target: String, path: String) {
    let words = try head(of: name).how.split(separator: " ").map(String.init)
    guard words.count >= 6, words[0...3] == ["#", "On:", "ln", "-s"] else {
      throw ScenarioFailure("the third line of `\(name)` does not say how to switch it on: \(words)")
    }
    return (words[4], words[5])
  }

  /// A workspace with the example switched on and these variables passed to it.
  static func workspace(with name: String, _ variables: [String: String] = [:]) throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(
      settings: "env: [\(variables.keys.sorted().joined(separator: ", "))]\n", environment: variables)
    try FileManager.default.createDirectory(
      atPath: place.path("hooks/examples"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: folder + "/" + name, toPath: place.path("hooks/examples/" + name))
    let (target, path) = try link(of: name)
    let directory = (place.path(path) as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: place.path(path), withDestinationPath: target)
    return place
  }
}

extension ScenarioWorkspace {
  /// Puts one file into the inbox, works until nothing is left, and gives the run of it.
  func work(_ name: String, _ text: String = "a,b\n1,2\n") async throws -> Run {
    // by a program: a file that this process wrote may still be open in a child of another test
    try write("source/" + name, text)
    try #require(try await penstock("put", path("source/" + name)).code == 0)
    try await penstock("up", "--once")
    guard let run = try await runs().last else { throw ScenarioFailure("no run of \(name); \(tail)") }
    return run
  }
}
