import Core
import Foundation
import Glibc
import Testing

/// Names of drops: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ScenarioNameTests {
  @Test func `I06 I07 the same name and content twice are two runs, and neither overwrites the other`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    for n in 1...3 {
      try place.drop("a.csv", n < 3 ? "same" : "other")
      try await place.ended(n)
    }
    let runs = try await place.runs()
    #expect(runs.map { place.text("var/done/\($0.id)/a.csv") } == ["same", "same", "other"])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I14 (j) any name runs once, is kept byte for byte and is nowhere obeyed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(inbox: "*", stages: [("only", "cat \"$1\" >/dev/null; cat >envelope.json")], more: "")
    let text = place.text("pipelines/p.yaml").replacing("p-only.sh\"]", with: "p-only.sh\", \"${input}\"]")
    try place.write("pipelines/p.yaml", text)
    var names: [[UInt8]] = [
      [0xFF, 0xFE, 0x2E, 0x63], Array("new\nline".utf8), Array("esc\u{1B}[2J".utf8), Array("caf\u{E9}".utf8),
      Array("cafe\u{301}".utf8), Array("-rf".utf8), Array("$(touch OWNED)".utf8),
      Array("`touch OWNED`;touch OWNED".utf8),
      Array(repeating: 0x61, count: 255), Array("%s%n".utf8), Array("${input}".utf8), Array(" ".utf8),
      Array("\u{202E}txt.exe".utf8), Array("..a".utf8.reversed()), Array("'\"\\".utf8), Array("reason.json".utf8),
    ]
    for (n, name) in names.enumerated() {
      let file = FileName(name)
      let made = (Array("\(place.home)/inbox/".utf8) + file.bytes + [0]).withUnsafeBufferPointer {
        $0.withMemoryRebound(to: CChar.self) { name in
          name.baseAddress.map { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o644) } ?? -1
        }
      }
      #expect(made >= 0)
      _ = "\(n)".withCString { write(made, $0, strlen($0)) }
      close(made)
    }
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 0, "\(up.output)")
    let runs = try await place.runs()
    #expect(runs.count == names.count && runs.allSatisfy { $0.state == .done })
    #expect(Set(runs.compactMap { $0.drop?.name.bytes }) == Set(names))
    names.removeAll()
    #expect(!up.output.contains("\u{1B}[2J") && !up.output.contains("\u{202E}"))
    let owned = try ScenarioProgram(
      ["/usr/bin/find", place.home, "-name", "OWNED"], environment: [:], logs: place.path("logs/find"))
    #expect(try await owned.end().output.isEmpty)
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
  }

  @Test func `I14 a quarantined drop called reason.json keeps its name and its reason`() async throws {
    let place = try ScenarioWorkspace.taking()
    #expect(mkfifo(place.path("inbox/reason.json"), 0o600) == 0)
    #expect(try await place.penstock("up", "--once").code == 1)
    let run = try #require(try await place.runs().first)
    #expect(place.names("var/quarantine/\(run.id)") == ["reason-of-quarantine.json", "reason.json"])
    var status = stat()
    #expect(lstat(place.path("var/quarantine/\(run.id)/reason.json"), &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFIFO)
  }

  @Test func `I15 names of what is on its way are left alone until they are renamed`() async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(inbox: "*", stages: [("only", "exit 0")])
    let passed = [
      ".hidden", "a.part", "a.crdownload", "a.filepart", "a.tmp", "a~", ".~lock.a#", "4913", ".nfs0001", ".a.AbC123",
    ]
    for name in passed { try place.write("inbox/" + name, "x") }
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().isEmpty)
    #expect(Set(place.names("inbox")) == Set(passed))
    #expect(rename(place.path("inbox/a.part"), place.path("inbox/a")) == 0)
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done])
  }

  @Test func `I15 a transfer that came to no end is listed after a day, and hidden files are not`() async throws {
    let place = try ScenarioWorkspace.taking("rescan: 1s\n")
    for name in ["old.csv.part", ".keep", "new.csv.part"] { try place.write("inbox/" + name, "x") }
    for name in ["old.csv.part", ".keep"] {
      let then = Int(Date().timeIntervalSince1970) - 30 * 3600
      var times = [timeval(tv_sec: then, tv_usec: 0), timeval(tv_sec: then, tv_usec: 0)]
      #expect(utimes(place.path("inbox/" + name), &times) == 0)
    }
    let agent = try await place.up()
    try await place.waitForHold("old.csv.part", "has been on its way for 30 hours")
    let held = try #require(try await place.penstock("status", "--json").json["held"] as? [[String: Any]])
    #expect(held.map { $0["name"] as? String } == ["old.csv.part"])
    #expect(rename(place.path("inbox/old.csv.part"), place.path("inbox/old.csv")) == 0)
    try await place.ended(1)
    #expect(place.logged("drop is held").count == 1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `an unmatched drop stays, is said once, and runs when a pipeline comes to match it`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("inbox/prices.txt", "x")
    let agent = try await place.up()
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox") { $0["nearest"] == JSON.null }
    try place.pipeline("other", inbox: "*.json", stages: [("only", "exit 0")])
    try await place.waitForLog("pipeline loaded") { $0["name"] == "other" }
    try await place.passOver(runs: 1)
    #expect(place.exists("inbox/prices.txt"))
    try place.pipeline("texts", inbox: "*.txt", stages: [("only", "exit 0")])
    let runs = try await place.ended(2)
    #expect(runs.last?.pipeline == "texts" && runs.last?.state == .done)
    #expect(place.logged("no pipeline takes this drop; it stays in the inbox").count == 1)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `put drops safely with and without an agent, and never over a drop that waits`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("data/a.csv", "whole")
    #expect(try await place.penstock("put", place.path("data/a.csv")).code == 0)
    let again = try await place.penstock("put", place.path("data/a.csv"))
    #expect(again.code == 2 && again.complaints.contains("still waiting in the inbox"))
    #expect(place.names("inbox") == ["a.csv"])
    #expect(try await place.penstock("up", "--once").code == 0)
    let run = try #require(try await place.runs().first)
    #expect(place.text("var/done/\(run.id)/a.csv") == "whole" && place.text("data/a.csv") == "whole")
  }
}
