import Core
import Foundation
import Testing

@Suite struct LogRecordTests {
  private let noon = Date(timeIntervalSince1970: 1_763_640_000.125)

  @Test func `a record read back is the same`() throws {
    let id = try #require(RunID("019a9f00-0000-7000-8000-000000000001"))
    let record = LogRecord(
      time: noon, level: .warning, message: "stage ended", run: id, number: 7, pipeline: "fx", stage: "train",
      attempt: 2,
      fields: ["reason": "why", "wall_s": 1.5])
    let text = try record.json { Timestamp.text($0) }.line()
    #expect(LogRecord(try JSON(parsing: Data(text.utf8)), date: Timestamp.date) == record)
  }

  @Test func `a field does not stand in for what the record itself says`() {
    let record = LogRecord(
      time: noon, level: .info, message: "output", fields: ["message": "forged", "level": "critical", "line": "x"])
    let json = record.json { Timestamp.text($0) }
    #expect(json["message"] == "output" && json["level"] == "info" && json["line"] == "x")
  }

  @Test(arguments: [
    "{}", "[]", "{\"time\":\"x\",\"level\":\"info\",\"message\":\"m\"}",
    "{\"time\":\"2026-11-20T01:50:00Z\",\"level\":\"loud\",\"message\":\"m\"}",
  ])
  func `what is no record is none`(text: String) throws {
    #expect(LogRecord(try JSON(parsing: Data(text.utf8)), date: Timestamp.date) == nil)
  }
}
