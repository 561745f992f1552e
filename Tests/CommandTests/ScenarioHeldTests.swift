import Core
import Foundation
import Testing

/// A stage's program is held ready while its before-hooks are asked: what they do counts all the same.
@Suite(.timeLimit(.minutes(5))) struct ScenarioHeldTests {
  /// Stages with a time limit, so that their envelopes tell a deadline.
  private func place(_ stages: (String, String)...) throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: stages, more: "    timeout: 1h\n")
    try place.drop("a.csv")
    return place
  }

  @Test(arguments: ["0", "0.3"])
  func `a program begins once, when its hook has ended, and is told the time it has then`(seconds: String) async throws
  {
    let place = try place(
      ("train", "cat >e.json; cat \"$PENSTOCK_HOME/hooked\" >> \"$PENSTOCK_HOME/begun\"; mv e.json \"$PENSTOCK_HOME\""))
    try place.script(
      "hooks/before-train.d/10",
      "sleep \(seconds); date +%s.%N > \"$PENSTOCK_HOME/.h\"; mv \"$PENSTOCK_HOME/.h\" \"$PENSTOCK_HOME/hooked\"")
    #expect(try await place.penstock("up", "--once").code == 0)
    let hooked = try #require(Double(place.text("hooked").split(separator: "\n").first ?? ""))
    #expect(place.text("begun") == place.text("hooked"))
    let told = try #require(JSON(parsing: place.bytes("e.json"))["deadline"]?.string)
    let deadline = try Date(told, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    // what is held is never older than a tenth of a second
    #expect(deadline.timeIntervalSince1970 > hooked + 3600 - 0.11)
  }

  @Test func `a program that its own hook makes is run`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: made, run: [\"./made.sh\"] } ]\n")
    try place.drop("a.csv")
    try place.script(
      "hooks/before-made.d/10",
      "printf '#!/bin/sh\\ntouch \"$PENSTOCK_HOME/ran\"\\n' > \"$PENSTOCK_HOME/made.sh\"; chmod 755 \"$PENSTOCK_HOME/made.sh\""
    )
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)")
    #expect(place.exists("ran"))
  }

  @Test func `a hook that spoils what the stage before left keeps the program from running`() async throws {
    let place = try place(
      ("first", "echo well > o; echo '{\"outputs\":[{\"name\":\"o\",\"path\":\"o\"}]}'"),
      ("second", "touch \"$PENSTOCK_HOME/ran\""))
    try place.script("hooks/before-second.d/10", "chmod u+w ../first/o; echo ill > ../first/o")
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(run.state == .failed && run.failedStage == "second")
    #expect(!place.exists("ran"))
  }

  @Test func `a program that its hook opens to others is refused, as it is without hooks`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: own, run: [\"./own.sh\"] } ]\n")
    try place.script("own.sh", "touch \"$PENSTOCK_HOME/ran\"")
    try place.script("hooks/before-own.d/10", "chmod o+w \"$PENSTOCK_HOME/own.sh\"")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(try await place.runs().first?.reason?.contains("writable by others") == true)
    #expect(!place.exists("ran"))
  }

  @Test func `a run that is cancelled while a hook is asked never runs the program that is held`() async throws {
    let place = try place(("train", "touch \"$PENSTOCK_HOME/ran\""))
    try place.script("hooks/before-train.d/10", "touch \"$PENSTOCK_HOME/asked\"; exec sleep 300")
    let agent = try await place.up()
    try await place.waitForLog("run started")
    while !place.exists("asked") { try await Task.sleep(for: .milliseconds(10)) }
    let run = try #require(try await place.runs().first)
    #expect(try await place.penstock("cancel", "\(run.number)").code == 0)
    #expect(try await place.ended().map(\.state) == [.cancelled])
    _ = try await place.stop(agent)
    #expect(!place.exists("ran"))
  }
}
