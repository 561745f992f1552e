import Core
import Foundation
import Glibc
import Testing

/// What people do to `var/done/` while an agent works, and to the database while none does.
@Suite(.timeLimit(.minutes(5))) struct ScenarioArchiveTests {
  private func place() throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("note", "echo \"$PENSTOCK_RUN\" >> \"$PENSTOCK_HOME/effects\"")])
    return place
  }

  @Test(arguments: [true, false])
  func `I09 what is done may be moved away whole, and what ends later lies in a directory of the old name`(
    isMadeAnew: Bool
  ) async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("1.csv", "one")
    let first = try #require(try await place.ended(1).first)
    #expect(rename(place.path("var/done"), place.path("archive")) == 0)
    if isMadeAnew { #expect(mkdir(place.path("var/done"), 0o700) == 0) }
    try place.drop("2.csv", "two")
    let second = try #require(try await place.ended(2).last)
    #expect(place.names("archive") == [first.id.text])
    #expect(place.filed("done") == [second.id.text: ["2.csv"]])
    // nor is what was archived cleared away, or found by name
    let again = try await place.penstock("rerun", "1")
    #expect(again.code == 2 && again.complaints.contains("is not there any more"), "\(again.complaints)")
    #expect(try await place.penstock("rerun", "2", "--wait").code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I09 what cannot be filed is told by status and doctor, and filed when it can be`() async throws {
    let place = try place()
    let agent = try await place.up()
    try place.drop("1.csv", "one")
    try await place.ended(1)
    #expect(rename(place.path("var/done"), place.path("elsewhere")) == 0)
    #expect(symlink("../elsewhere", place.path("var/done")) == 0)
    for n in 2..<4 { try place.drop("\(n).csv", "\(n)") }
    try await place.waitForLog("an ended run's drop cannot be filed yet; trying again") {
      $0["reason"]?.string?.contains("`var/done` is no directory") == true
    }
    try await until("both to wait") {
      let status = try await place.penstock("status")
      return status.code == 4
        && status.output.contains("2 drops of ended runs cannot be filed: `var/done` is no directory")
    }
    let doctor = try await place.penstock("doctor")
    #expect(doctor.code == 4 && doctor.output.contains("is a link, which is not followed there"), "\(doctor.output)")
    // said once, not with every try
    #expect(place.logged("an ended run's drop cannot be filed yet; trying again").count == 1)
    unlink(place.path("var/done"))
    let ended = try await place.ended(3)
    #expect(Set(place.names("var/done")) == Set(ended.dropFirst().map(\.id.text)))
    #expect(place.names("var/work").isEmpty)
    #expect(try await place.penstock("status").code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `S11 a database from before runs ended does not work them again, and knows where their drops are`()
    async throws
  {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [
      (
        "note",
        """
        echo "$PENSTOCK_RUN" >> "$PENSTOCK_HOME/effects"
        until [ -e "$PENSTOCK_HOME/go" ]; do sleep 0.02; done
        [ ! -e "$PENSTOCK_HOME/var/work/$PENSTOCK_RUN/bad.csv" ]
        """
      )
    ])
    let agent = try await place.up()
    for name in ["a.csv", "b.csv", "bad.csv"] { try place.drop(name, name) }
    try await until("all to be at work or queued") { try await place.runs().count == 3 }
    try await until("one to be at work") { !place.text("effects").isEmpty }
    let backup = try ScenarioProgram(
      [
        "/usr/bin/env", "python3", "-c",
        "import sqlite3, sys; sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))",
        place.path("var/state.db"), place.path("backup.db"),
      ], environment: ProcessInfo.processInfo.environment, logs: place.path("logs/backup"))
    #expect(try await backup.end().code == 0)
    try place.write("go", "")
    try await place.ended(3)
    #expect(try await place.stop(agent).code == 0)
    place.closeReader()
    for name in ["state.db", "state.db-wal", "state.db-shm"] { unlink(place.path("var/" + name)) }
    #expect(rename(place.path("backup.db"), place.path("var/state.db")) == 0)
    chmod(place.path("var/state.db"), 0o600)
    let effects = place.text("effects")

    let once = try await place.penstock("up", "--once")
    #expect(once.code != 70, "\(once.complaints)")
    let runs = try await place.runs()
    #expect(runs.allSatisfy { $0.filed })
    for run in runs {
      #expect(run.state == (run.drop?.name.text == "bad.csv" ? .failed : .done))
      #expect(run.reason?.contains("after the database was written that was put back") == true)
    }
    #expect(place.text("effects") == effects)
    let retry = try await place.penstock("retry", "bad.csv")
    #expect(retry.code != 2, "\(retry.complaints)")
  }
}
