import Core
import Foundation
import Host
import Testing

@Suite struct LogFilesTests {
  private func record(_ message: String, run: RunID? = nil) -> LogRecord {
    LogRecord(
      time: Date(timeIntervalSince1970: 1), level: .info, message: message, run: run, fields: ["line": "tok-12345 é\n"])
  }

  @Test func `all goes to the agent's log, and what is of a run to its own, secrets masked`() throws {
    let place = try Spooled()
    let workspace = try #require(Workspace(at: place.home))
    let logs = LogFiles(workspace: workspace, mask: SecretMask(values: ["tok-12345"]))
    logs.write(record("one"))
    logs.write(record("two", run: Spooled.id(1)))
    let agent = place.text("var/logs/agent.ndjson") ?? ""
    let lines = try agent.split(separator: "\n").map { try JSON(parsing: Data($0.utf8)) }
    #expect(lines.map { $0["message"] } == ["one", "two"] && lines.allSatisfy { $0["line"] == "*** é\n" })
    #expect(place.text("var/runs/\(Spooled.id(1))/log.ndjson")?.split(separator: "\n").count == 1)
  }

  @Test func `more runs than files may be open keep their lines in order`() throws {
    let place = try Spooled()
    let workspace = try #require(Workspace(at: place.home))
    let logs = LogFiles(workspace: workspace, mask: SecretMask(values: []))
    for round in 0..<3 {
      for n in 0..<100 { logs.write(record("\(round)", run: Spooled.id(n))) }
    }
    for n in 0..<100 {
      let lines = try (place.text("var/runs/\(Spooled.id(n))/log.ndjson") ?? "").split(separator: "\n").map {
        try JSON(parsing: Data($0.utf8))
      }
      #expect(lines.map { $0["message"] } == ["0", "1", "2"])
    }
  }

  @Test func `a log that is a link is not written through`() throws {
    let place = try Spooled()
    let workspace = try #require(Workspace(at: place.home))
    try place.write("elsewhere", "keep")
    try FileManager.default.createSymbolicLink(
      atPath: place.path("var/logs/agent.ndjson"), withDestinationPath: place.path("elsewhere"))
    LogFiles(workspace: workspace, mask: SecretMask(values: [])).write(record("x"))
    #expect(place.text("elsewhere") == "keep")
  }
}
