import Core
import Foundation
import Glibc
import Store
import TestSupport
import Testing

/// How trials end without a verdict, or never begin: by a person, by a change, by a signal.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ScenarioTrialEndTests: TrialScenario {
  @Test func `why there can be no trial is said in words`() async throws {
    let place = try await workspace()
    func refusal(_ pipeline: String = "p") async throws -> String {
      let ended = try await place.penstock("trials", "start", pipeline, "--wait")
      #expect(ended.code == 1 || ended.code == 2, "\(ended.code)")
      return ended.complaints
    }
    #expect(try await refusal().contains("has no data to try arms on: drop a file first"))
    #expect(try await refusal("q").contains("no pipeline `q`"))
    try await drop(place)
    let yaml = place.text("pipelines/p.yaml")
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "metric: quality", with: "metric: gain"))
    #expect(try await refusal().contains("no stage of the latest done run of `p` gave a metric `gain`"))
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "trials:", with: "env: [] #"))
    #expect(try await refusal().contains("pipeline `p` has no `trials:`"))
    try place.write("pipelines/p.yaml", yaml.replacingOccurrences(of: "[./stages/train.py],", with: "[/bin/false],"))
    try await place.penstock("run", "p", "--wait")
    let broken = try await place.penstock("trials", "start", "p", "--wait")
    #expect(broken.code == 1)
    #expect(broken.output.contains("the control, every stage at `coarse`, failed: stage `train`"), "\(broken.output)")
    let empty = try await place.penstock("trials", "show", "9")
    #expect(empty.code != 0 && empty.complaints.contains("there is no trial `9`"))
  }

  @Test func `an agent says at once why there can be no trial, whether one waits or not`() async throws {
    let place = try await workspace()
    let agent = try await place.up()
    for wait in [[], ["--wait"]] {
      let ended = try await place.start(["trials", "start", "p"] + wait).end()
      #expect(
        ended.code != 0 && ended.complaints.contains("has no data to try arms on"), "\(wait): \(ended.complaints)")
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a stage that is edited while its trial runs ends the trial, and what was seen of it counts for nothing`()
    async throws
  {
    let place = try await workspace()
    try await drop(place)
    let trial = try place.start(["trials", "start", "p", "--wait", "--json"])
    try await until("a block") {
      (try? await place.reader { try await $0.observations(of: 1) })?.contains { $0.state == .ok } ?? false
    }
    try place.write("hold", "")
    try await until("an arm to be held") { place.exists("held") }
    try place.write("stages/train.py", Self.train + "# edited\n", mode: 0o755)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    let ended = try await trial.end()
    let answer = try JSON(parsing: Data(ended.output.utf8))["trial"]
    #expect(ended.code == 1 && answer?["state"] == "stopped", "\(ended.output)\(ended.complaints)")
    #expect(answer?["reason"]?.string?.contains("were changed") == true)
    #expect(try await place.reader { try await $0.policies() }.isEmpty)
    let again = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(again.output.utf8))["trial"]?["number"] == 2)
  }

  @Test func `a trial whose copy of the data is not what it was ends, and another begins`() async throws {
    let place = try await workspace()
    try await drop(place)
    let first = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(first.output.contains("trial 1 of p is not decided yet: the CPU time of 1ms is used up"), "\(first.output)")
    let copy = try #require(place.names("var/trials").first).appending("/input/0/a.csv")
    try place.write("var/trials/" + copy, "other\n")
    let second = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(second.output.contains("trial 2 of p is not decided yet"), "\(second.output)\(second.complaints)")
    let trials = try await place.reader { try await $0.trials() }
    #expect(trials.last?.state == .stopped && trials.last?.reason?.contains("its copy of the data") == true)
  }

  @Test func `a trial is stopped in the middle of an evaluation, whoever waits is told, and nothing is in force`()
    async throws
  {
    let place = try await workspace()
    try await drop(place)
    func refusal(_ pipeline: String) async throws -> String {
      let ended = try await place.penstock("trials", "stop", pipeline)
      #expect(ended.code == 2)
      return ended.complaints
    }
    #expect(try await refusal("p").contains("pipeline `p` has no trial that is open"))
    #expect(try await refusal("q").contains("no pipeline `q`; there are `p`"))
    let agent = try await place.up()
    #expect(try await refusal("p").contains("pipeline `p` has no trial that is open"))
    try place.write("hold", "")
    let waiting = try place.start(["trials", "start", "p", "--wait", "--json"])
    try await until("an arm to run; \(place.tail)") { place.exists("held") }
    let stopped = try await place.penstock("trials", "stop", "p")
    #expect(
      stopped.code == 0 && stopped.output.hasPrefix("trial 1 of p was stopped; `penstock trials show 1`"),
      "\(stopped.output)\(stopped.complaints)")
    let told = try await waiting.end()
    let answer = try JSON(parsing: Data(told.output.utf8))["trial"]
    #expect(
      told.code == 1 && answer?["state"] == "stopped" && answer?["reason"] == "a person stopped it", "\(told.output)")
    let (trial, observations) = try await trial(place)
    #expect(trial.state == .stopped && trial.ended != nil && trial.reason == "a person stopped it")
    let shown = try JSON(parsing: Data(try await place.penstock("trials", "show", "1", "--json").output.utf8))
    #expect(shown["reason"] == "a person stopped it" && shown["state"] == "stopped")
    #expect(observations.last?.state == .interrupted && observations.last?.reason == "a person stopped the trial")
    #expect(place.logged("trial ended").count == 1)
    try await until("its directory to be gone") { place.names("var/trials") == [] }
    #expect(try await place.reader { try await $0.policies() }.isEmpty)
    #expect(try await refusal("p").contains("no trial that is open"))
    // runs go on, and so may another trial
    try FileManager.default.removeItem(atPath: place.path("hold"))
    try place.drop("b.csv")
    try await place.ended(2)
    #expect(try await place.stop(agent).code == 0)
    let paused = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    #expect(paused.output.contains("trial 2 of p is not decided yet"), "\(paused.output)")
    let alone = try await place.penstock("trials", "stop", "p", "--json")
    #expect(try JSON(parsing: Data(alone.output.utf8))["trial"]?["state"] == "stopped", "\(alone.complaints)")
    #expect(place.names("var/trials") == [])
  }

  @Test func `a trial that waits for runs is stopped at once`() async throws {
    let place = try await workspace()
    try await drop(place)
    try place.write(
      "pipelines/q.yaml",
      "pipeline: { name: q }\nstages: [ { name: a, run: [/bin/sh, -c, 'cat > /dev/null; while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done'] } ]\ndata: { sources: [ { type: csv, path: \"${vars.home}/calls\" } ] }\nvars: { home: \"\(place.home)\" }\n"
    )
    let agent = try await place.up()
    #expect(try await place.penstock("run", "q").code == 0)
    try await until("a run at work") { try await place.runs().contains { $0.state == .running } }
    let waiting = try place.start(["trials", "start", "p", "--wait"])
    try await until("the trial to be open") { try await place.reader { try await $0.openTrial(of: "p") } != nil }
    #expect(try await place.penstock("trials", "stop", "p").code == 0)
    #expect(try await waiting.end().output.contains("trial 1 of p was stopped: a person stopped it"))
    #expect(try await trial(place).1.isEmpty)
    try place.write("go", "")
    try await place.ended(2)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a trial that is stopped while its data is still copied does not begin`() async throws {
    let place = try await workspace()
    try await drop(place)
    let yaml = place.text("pipelines/p.yaml")
    try place.write(
      "pipelines/p.yaml", yaml + "\ndata: { sources: [ { type: csv, path: \"\(place.path("large.csv"))\" } ] }\n")
    try place.write("large.csv", "a\n")
    #expect(truncate(place.path("large.csv"), 200 << 20) == 0)
    let agent = try await place.up()
    #expect(try await place.penstock("trials", "start", "p").code == 0)
    let stopped = try await place.penstock("trials", "stop", "p")
    #expect(stopped.code == 0, "\(stopped.complaints)")
    try await until("its copy to be gone") { place.names("var/trials") == [] }
    #expect(try await place.stop(agent).code == 0)
    #expect(try await place.reader { try await $0.openTrial(of: "p") } == nil)
    #expect(try await place.reader { try await $0.trials() }.allSatisfy { $0.state == .stopped })
    #expect(place.names("var/trials") == [])
  }

  @Test func `an evaluation whose directory cannot be made is told, again and again, and done when it can`()
    async throws
  {
    let place = try await workspace()
    try await drop(place)
    let agent = try await place.up()
    _ = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1ms")
    let own = "var/trials/" + (try #require(place.names("var/trials").first))
    try place.write(own + "/work", "no directory")
    for _ in 0..<2 {
      let ended = try await place.penstock("trials", "start", "p", "--wait")
      #expect(ended.code == 2 && ended.complaints.contains(own + "/work"), "\(ended.code) \(ended.complaints)")
    }
    #expect(agent.isRunning, "\(agent.text)")
    let broken = try await trial(place).1.filter { $0.state != .ok }
    #expect(broken.map(\.state) == [.interrupted, .interrupted])
    #expect(broken.allSatisfy { $0.reason?.contains(own + "/work") ?? false }, "\(broken)")
    try FileManager.default.removeItem(atPath: place.path(own + "/work"))
    let ended = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(ended.output.utf8))["trial"]?["state"] == "promoted", "\(ended.complaints)")
    expectWhole(try await trial(place).1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `Ctrl-C of a trial without an agent says so by its code, and the trial goes on later`() async throws {
    let place = try await workspace()
    try await drop(place)
    try place.write("hold", "")
    let trial = try place.start(["trials", "start", "p", "--wait"])
    try await until("an arm to run") { place.exists("held") }
    trial.signal(SIGINT)
    #expect(try await trial.end().code == 130)
    try FileManager.default.removeItem(atPath: place.path("hold"))
    let again = try await place.penstock("trials", "start", "p", "--wait", "--json")
    #expect(try JSON(parsing: Data(again.output.utf8))["trial"]?["number"] == 1)
  }
}
