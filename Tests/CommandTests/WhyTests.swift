import Core
import Foundation
import Glibc
import Store
import Testing

/// Why a drop is where it is, and why a run went as it did.
@Suite(.timeLimit(.minutes(2))) struct WhyTests {
  private static let files = [
    "pipelines/p.yaml":
      "pipeline: { name: p }\ntrigger: { inbox: \"fx-{pair}.csv\" }\nstages: [{ name: s, run: [\"true\"] }]\n"
  ]

  private func first(_ ended: ScenarioProgram.Ended) -> String {
    String(ended.output.split(separator: "\n").first ?? "")
  }

  @Test func `a drop in the inbox is told with its state and the reason, by name and by path`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/fx-eurusd.csv", "12345")
    try scene.file("inbox/other.txt", "1")
    try scene.file("inbox/fx-a.csv.part", "1")
    try scene.file("inbox/adir/x", "1")
    let ready = try await scene.ask("why", "fx-eurusd.csv")
    #expect(ready.code == 0 && first(ready) == "fx-eurusd.csv  in the inbox, ready")
    #expect(ready.output.contains("pipeline  p, by its pattern `fx-{pair}.csv`"), "\(ready.output)")
    #expect(ready.output.contains("next      `penstock up` claims it"))
    #expect(first(try await scene.ask("why", "inbox/other.txt")) == "other.txt  in the inbox, unmatched")
    #expect(first(try await scene.ask("why", scene.path("inbox/fx-a.csv.part"))).hasSuffix("passed over"))
    let directory = try await scene.ask("why", "adir").output
    #expect(directory.contains("because  it is a directory; drop files, not directories"), "\(directory)")
    let json = try await scene.ask("why", "fx-eurusd.csv", "--json").json
    #expect(json["state"] as? String == "ready" && json["pattern"] as? String == "fx-{pair}.csv")
    #expect(json["where"] as? String == "inbox" && json["bytes"] as? Int == 5)
  }

  @Test func `who still writes a drop is named with its process`() async throws {
    let scene = try Scene(Self.files)
    let writer = open(scene.path("inbox/fx-eurusd.csv"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    defer { close(writer) }
    let words = try await scene.ask("why", "fx-eurusd.csv").output
    #expect(words.contains("waiting for its writer, process \(getpid()) ("), "\(words)")
    let writers = try await scene.ask("why", "fx-eurusd.csv", "--json").list("writers")
    #expect(writers.map { $0["pid"] as? Int } == [Int(getpid())])
    #expect(try await scene.ask("inbox").output.contains("waiting for its writer, process \(getpid())"))
  }

  @Test func `a running agent tells how long a drop still settles`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("etc/penstock.yaml", "settle: 60s\nreserve: 1MiB\n")
    let agent = try scene.start(["up"])
    try await until("the agent answers: \(agent.text)") { try await scene.ask("status").code == 0 }
    try scene.file("inbox/fx-eurusd.csv", "1")
    try await until("the drop to settle") {
      let due = try await scene.ask("why", "fx-eurusd.csv", "--json").json["due_s"] as? Double ?? 0
      return due > 30 && due <= 60
    }
    let words = try await scene.ask("why", "fx-eurusd.csv").output
    #expect(words.contains("because   settling, ") && words.contains("s to go"), "\(words)")
    #expect(words.contains("next      claimed in about ") && words.contains("unless it changes"))
    agent.signal(SIGTERM)
    #expect(try await agent.end().code == 0)
  }

  @Test func `a drop that has left the inbox is told by its run, the newest first`() async throws {
    let scene = try Scene(Self.files)
    let past = try Past(scene)
    let old = try await past.run(1, drop: FileName("fx.csv"), state: .failed, reason: "exit 1: no such column")
    let new = try await past.run(2, drop: FileName("fx.csv"))
    try await past.store.filed([old.id, new.id])
    try past.close()
    let words = try await scene.ask("why", "fx.csv").output
    #expect(words.hasPrefix("run 2  done\n"), "\(words)")
    #expect(words.contains("earlier drops of this name\n  #1  fx  failed"), "\(words)")
    for path in ["var/failed/\(old.id)/fx.csv", "var/runs/\(old.id)", scene.path("var/failed/\(old.id)")] {
      #expect(first(try await scene.ask("why", path)) == "run 1  failed", "\(path)")
    }
    let failed = try await scene.ask("why", "1").output
    #expect(failed.contains("because   stage `train`: exit 1: no such column"), "\(failed)")
    #expect(failed.contains("next      `penstock retry 1` tries it again; `penstock ack 1` says that you have seen it"))
    #expect(
      failed.contains(
        "train    1  failed  fine (simplified algorithm)  exit 1: no such column; fine: asked for by hand"))
    let json = try await scene.ask("why", "1", "--json").json
    #expect(json["where"] as? String == "failed" && json["path"] as? String == "var/failed/\(old.id)/fx.csv")
  }

  @Test func `a stage can be asked for alone`() async throws {
    let scene = try Scene(Self.files)
    let past = try Past(scene)
    try await past.run(1)
    try past.close()
    let words = try await scene.ask("why", "last", "train").output
    #expect(words.hasPrefix("run 1  done, stage train\n\ntries\n  stage  try  state"), "\(words)")
    try await scene.expect(
      "why", "last", "trian", stderr: "penstock: run 1 has no stage `trian`; did you mean `train`?\n", exit: 2)
  }

  @Test func `what nobody has heard of is said to be so, with the nearest name`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/fx-eurusd.csv", "1")
    try await scene.expect(
      "why", "fx-eurusb.csv",
      stderr: "penstock: no drop `fx-eurusb.csv` is in the inbox, and no run had one; did you mean `fx-eurusd.csv`?\n",
      exit: 2)
    try await scene.expect(
      "why", "/etc/passwd",
      stderr: "penstock: `/etc/passwd` is neither in `inbox/` nor below `var/` of this workspace: give a drop's name, "
        + "its path, or the number of a run\n", exit: 2)
    #expect(try await scene.ask("why", "7").code == 2)
  }

  @Test func `a name may be any bytes, and begin with a dash`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/-dash.txt", "1")
    #expect(try await scene.ask("why", "--", "-dash.txt").output.hasPrefix("-dash.txt  in the inbox, unmatched"))
    try scene.file(
      "ask.sh",
      "#!/bin/sh\n: > \"$PENSTOCK_HOME/inbox/$(printf '\\377x')\"\nexec \"$0.program\" why \"$(printf '\\377x')\"\n")
    #expect(symlink(try scene.program(), scene.path("ask.sh.program")) == 0)
    let asked = try await ScenarioProgram(
      [scene.path("ask.sh")], environment: ["PATH": "/usr/bin:/bin", "TZ": "UTC", "PENSTOCK_HOME": scene.home],
      logs: scene.path(".asked/bytes")
    ).end()
    #expect(asked.output.hasPrefix("\\xffx  in the inbox, unmatched"), "\(asked.output)\(asked.complaints)")
  }
}
