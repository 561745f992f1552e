import Core
import Foundation
import Testing

@Suite struct ExitRecordTests {
  private let usage = ResourceUsage(wall: 1.5, cpu: 0.25, peakRSS: 1_048_576)

  private func record(_ termination: Result<Termination, LaunchFailure>) -> ExitRecord {
    ExitRecord(
      ending: .abandoned, termination: termination, usage: usage,
      ended: Date(timeIntervalSince1970: 1_700_000_000.5),
      boot: "b")
  }

  @Test(
    arguments: [
      .success(.exited(3)), .success(.signaled(9)), .failure(LaunchFailure(step: .execute, code: 2)),
    ] as [Result<Termination, LaunchFailure>])
  func `a record reads as it was written`(termination: Result<Termination, LaunchFailure>) throws {
    let record = record(termination)
    #expect(try ExitRecord(parsing: try JSONEncoder().encode(record)) == record)
  }

  @Test func `a line as the keeper writes it`() throws {
    let line = """
      {"api":1,"boot":"b","cpu_s":0.250000000,"ended_ms":1700000000500,"ending":"abandoned","signal":9,\
      "rss_bytes":1048576,"wall_s":1.500000000}\n
      """
    #expect(try ExitRecord(parsing: Data(line.utf8)) == record(.success(.signaled(9))))
  }

  @Test func `another version and a line that says nothing are errors`() {
    for line in [#"{"api":2}"#, #"{"api":1,"boot":"b","ended_ms":1,"ending":"itself"}"#, "", "{"] {
      #expect(throws: DecodingError.self) { try ExitRecord(parsing: Data(line.utf8)) }
    }
  }

  @Test func `a failed start is told with the path`() {
    let record = record(.failure(LaunchFailure(step: .execute, code: 2)))
    #expect(
      record.termination(executable: "/x", directory: "/")
        == .unstarted("cannot start `/x`: there is no such file"))
  }
}
