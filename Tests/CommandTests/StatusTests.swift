import Core
import Foundation
import Store
import Testing

@Suite(.timeLimit(.minutes(2))) struct StatusTests {
  private static let files = [
    "pipelines/p.yaml":
      "pipeline: { name: p }\ntrigger: { inbox: \"{name}.csv\" }\nstages: [{ name: s, run: [\"./s.sh\"] }]\n",
    "s.sh": "#!/bin/sh\ncat >/dev/null\nexec sleep 60\n",
  ]

  @Test func `before anything happened it says what to do`() async throws {
    try await Scene().expect(
      "status",
      stdout: """
        penstock  HOME
          agent  not running: none has worked here yet; `penstock up` starts one

        no pipelines yet: put a YAML file into pipelines/ (`penstock schema pipeline` says what is in it)

        """, exit: 3)
  }

  @Test func `programs get the keys that are promised`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/x.cvs", "1")
    let status = try await scene.ask("status", "--json")
    #expect(status.code == 3)
    let keys: Set<String> = [
      "api", "agent", "watch", "queue", "running", "failures", "unmatched", "held", "slots", "configs",
      "policies",
      "waiting", "quarantined",
    ]
    #expect(keys.isSubset(of: Set(status.json.keys)))
    #expect((status.json["agent"] as? [String: Any])?["running"] as? Bool == false)
    #expect(status.list("unmatched").first?["name"] as? String == "x.cvs")
    #expect(status.list("unmatched").first?["nearest"] as? String == "{name}.csv")
    #expect(status.list("configs").first?["state"] as? String == "valid")
    #expect((status.json["slots"] as? [Any])?.count == 0)
  }

  @Test func `the last run of each pipeline decides the exit code`() async throws {
    let scene = try Scene(Self.files)
    let past = try Past(scene)
    try await past.run(1, state: .failed, reason: "exit 1: no such column")
    #expect(try await scene.ask("status").code == 1)
    try await past.run(2)
    let mended = try await scene.ask("status")
    #expect(mended.code == 3)
    #expect(
      mended.output.contains(
        """
        last run of each pipeline
          #2  fx  done  2025-11-20 12:03  1m30s  fx.csv

        failures
          #1  fx  failed  2025-11-20 12:02  1m30s  fx.csv: stage `train`: exit 1: no such column
          `penstock retry RUN` tries one again, `penstock ack RUN` says that you have seen it
        """), "\(mended.output)")
    try await past.store.acknowledge([Past.id(1)], at: Past.noon)
    #expect(try await scene.ask("status").code == 3)
    try await past.run(3, drop: FileName("odd.csv"), state: .quarantined, reason: "is a named pipe")
    #expect(try await scene.ask("status").code == 1)
    try await past.store.acknowledge([Past.id(3)], at: Past.noon)
    #expect(try await scene.ask("status").code == 3)
    try past.close()
  }

  @Test func `a run without a drop that failed is mended by the next that is done`() async throws {
    let place = try ScenarioWorkspace()
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      data: { sources: [ { type: csv, path: etc/penstock.yaml } ] }
      stages: [ { name: s, run: [sh, -c, "test -e ${home}/mended"] } ]
      """)
    #expect(try await place.penstock("run", "p").code == 1)
    #expect(try await place.penstock("status").code == 1)
    try place.write("mended", "")
    #expect(try await place.penstock("run", "p").code == 0)
    #expect(try await place.penstock("status").code == 3)
  }

  @Test func `a bad pipeline is told with its first error and what stays in force`() async throws {
    let scene = try Scene(["pipelines/x.yaml": "pipeline: { name: x }\nstages: 7\n"])
    let status = try await scene.ask("status")
    #expect(status.code == 4)
    #expect(
      status.output.contains("invalid pipelines\n  pipelines/x.yaml: invalid, 1 error: line 2: "),
      "\(status.output)")
    #expect(status.output.contains("; it is not in force; `penstock check` tells all\n"))
    let config = try #require(try await scene.ask("status", "--json").list("configs").first)
    #expect(config["state"] as? String == "invalid")
    #expect((config["diagnostics"] as? [Any])?.count == 1)
  }

  @Test func `a run at work is told with its stage and what time is left`() async throws {
    let scene = try Scene()
    let past = try Past(scene)
    try await past.run(1)
    try await past.run(2, drop: FileName("now.csv"), state: nil)
    try past.close()
    let status = try await scene.ask("status")
    #expect(status.output.contains("#2  fx  now.csv  ░░░░░░░░░░░░░░░░ 0/1  train"), "\(status.output)")
    #expect(status.output.contains("interrupted; goes on with `penstock up`"))
    let running = try #require(try await scene.ask("status", "--json").list("running").first)
    #expect(running["stage"] as? String == "train")
    #expect(running["eta_s"] as? Double == 0)
  }

  @Test func `an agent that does not answer is told as such, and what is recorded is shown`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("s", "true")])
    let agent = try await place.up()
    try place.drop("a.csv")
    try await place.ended()
    agent.signal(SIGSTOP)
    let (told, refused) = (try place.start("status", "--json"), try place.start("inbox"))
    let others = [try place.start("run", "p"), try place.start("gc"), try place.start("rerun", "1", "--wait")]
    let (status, inbox) = (try await told.end(), try await refused.end())
    #expect(status.code == 4)
    #expect((status.json["agent"] as? [String: Any])?["state"] as? String == "silent")
    #expect((status.json["last"] as? [Any])?.count == 1, "\(status.output)")
    #expect(inbox.code == 75)
    #expect(inbox.complaints.contains("does not answer"), "\(inbox.complaints)")
    for other in others {
      let ended = try await other.end()
      #expect(ended.code == 75 && ended.complaints.contains("does not answer"), "\(ended.complaints)")
    }
    let doctor = try await place.penstock("doctor")
    #expect(
      doctor.code == 4 && doctor.output.contains("is there (pid \(agent.pid)) and does not answer"),
      "\(doctor.output)")
    // one that was stopped while it waited for the answer is gone too when the agent goes on
    let given = try place.start("cancel", "1")
    _ = try await given.end()
    agent.signal(SIGCONT)
    #expect(try await place.stop(agent).code == 0)
    #expect(try await place.runs().count == 1)
  }

  @Test func `an agent at work is asked`() async throws {
    let scene = try Scene(Self.files)
    let agent = try scene.start(["up"])
    try await until("the agent answers: \(agent.text)") { try await scene.ask("status").code == 0 }
    try scene.file("inbox/x.bin", "1")
    try scene.file("inbox/a.csv", "1")
    try await until("the run is at work: \(agent.text)") {
      try await scene.ask("status", "--json").list("running").count == 1
    }
    let words = try await scene.ask("status").output
    #expect(words.contains("agent  running (pid \(agent.pid)) since "), "\(words)")
    #expect(words.contains("#1  p  a.csv  ░░░░░░░░░░░░░░░░ 0/1  s"), "\(words)")
    #expect(
      words.contains("x.bin  unmatched  no pipeline takes it\n"),
      "\(words)")
    #expect(try await scene.ask("inbox").output.contains("run 1 is running"))
    #expect(try await scene.ask("cancel", "1").code == 0)
    agent.signal(15)
    _ = try await agent.end()
    let after = try await scene.ask("status")
    #expect(after.output.contains("not running, stopped "), "\(after.output)")
    #expect(after.output.contains("cancelled"))
  }
}
