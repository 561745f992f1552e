import Core
import Foundation
import Glibc
@testable import Host
import Testing

@Suite struct WorkspaceSpoolTests {
  private let a = FileName("a.csv")

  @Test func `stages of one run that begin at once each have their directory`() async throws {
    let place = try Spooled()
    let spool = place.spool
    for n in 1...1500 {
      let id = try #require(RunID(String(format: "01a00000-0000-7000-8000-%012x", n)))
      spool.foresee(6)
      let made = try await withThrowingTaskGroup(of: String.self) { group in
        for stage in ["a", "b", "c", "d"] { group.addTask { try spool.openAttempt(id, stage: stage, n: 1) } }
        return try await group.reduce(into: [String]()) { $0.append($1) }
      }
      #expect(made.count == 4 && made.allSatisfy { access($0, F_OK) == 0 }, "run \(n)")
    }
  }

  @Test func `a claim moves the drop, and says what was moved`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "x")
    let before = try place.spool.inboxDirectory.look(at: a)
    guard case .claimed(let sample) = try place.spool.claim(a, as: Spooled.id(1)),
      case .file(let seen, .closed) = before
    else {
      Issue.record("not claimed")
      return
    }
    #expect(sample.isSameContent(as: seen) && sample.bytes == 1)
    try place.spool.makeDurable([(Spooled.id(1), a)])
    #expect(place.text("var/work/\(Spooled.id(1))/a.csv") == "x" && place.names("inbox").isEmpty)
    #expect(try place.spool.claim(a, as: Spooled.id(2)) == .gone)
    #expect(place.names("var/work") == [Spooled.id(1).text])
  }

  @Test func `links, pipes and devices are made durable without being opened`() throws {
    let place = try Spooled()
    #expect(mkfifo(place.path("inbox/pipe"), 0o600) == 0)
    #expect(symlink("/dev/null", place.path("inbox/link")) == 0)
    for (n, name) in ["pipe", "link"].enumerated() {
      guard case .claimed = try place.spool.claim(FileName(name), as: Spooled.id(n)) else {
        Issue.record("\(name) was not claimed")
        return
      }
      try place.spool.makeDurable([(Spooled.id(n), FileName(name))])
    }
  }

  @Test func `filing never overwrites, and names each that cannot be filed`() throws {
    let place = try Spooled()
    for n in 1...3 {
      try place.write("inbox/a.csv", "\(n)")
      _ = try place.spool.claim(a, as: Spooled.id(n))
    }
    try place.write("var/done/\(Spooled.id(2))/other", "was here")
    let report = try place.spool.file((1...4).map { Filing(id: Spooled.id($0), name: a, destination: .done) })
    #expect(report.troubled.map(\.filing.id) == [Spooled.id(2)] && report.troubled[0].reason.contains("File exists"))
    #expect(report.missing.map(\.id) == [Spooled.id(4)])
    #expect(
      place.text("var/done/\(Spooled.id(1))/a.csv") == "1" && place.text("var/done/\(Spooled.id(3))/a.csv") == "3")
    #expect(place.text("var/done/\(Spooled.id(2))/other") == "was here")
    #expect(place.text("var/work/\(Spooled.id(2))/a.csv") == "2")
  }

  @Test func `a place that someone removed is made anew for what is filed into it`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "A")
    _ = try place.spool.claim(a, as: Spooled.id(1))
    try FileManager.default.removeItem(atPath: place.path("var/done"))
    let report = try place.spool.file([Filing(id: Spooled.id(1), name: a, destination: .done)])
    #expect(report.missing.isEmpty && report.troubled.isEmpty)
    #expect(place.text("var/done/\(Spooled.id(1).text)/a.csv") == "A")
    try FileManager.default.removeItem(atPath: place.path("var/done"))
    // what is gone with its place is told as gone
    #expect(try place.spool.file([Filing(id: Spooled.id(1), name: a, destination: .done)]).missing.count == 1)
  }

  @Test func `what was filed before a crash is filed and not missing`() throws {
    let place = try Spooled()
    try place.write("var/failed/\(Spooled.id(1))/a.csv", "x")
    let report = try place.spool.file([Filing(id: Spooled.id(1), name: a, destination: .failed)])
    #expect(report.missing.isEmpty && report.troubled.isEmpty)
  }

  @Test func `a quarantined drop has its reason beside it`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", "x")
    _ = try place.spool.claim(a, as: Spooled.id(1))
    let filing = Filing(id: Spooled.id(1), name: a, destination: .quarantine, reason: "is a \"pipe\"")
    #expect(try place.spool.file([filing]).missing.isEmpty)
    let note = try JSON(parsing: Data((place.text("var/quarantine/\(Spooled.id(1))/reason.json") ?? "").utf8))
    #expect(note == ["name": "a.csv", "reason": "is a \"pipe\""])
  }

  @Test func `a copy is a drop only when it is adopted`() throws {
    let place = try Spooled()
    try place.write("data/in.csv", "copied")
    let sample = try place.spool.copyIn(FileName(place.path("data/in.csv")), name: a, as: Spooled.id(1))
    #expect(sample.bytes == 6 && place.text("data/in.csv") == "copied")
    #expect(try place.spool.workInProgress().isEmpty)
    #expect(try place.spool.copiesInProgress() == [Spooled.id(1)])
    try place.spool.adoptCopy(Spooled.id(1))
    try place.spool.adoptCopy(Spooled.id(1))
    #expect(place.text("var/work/\(Spooled.id(1))/a.csv") == "copied")
    #expect(try place.spool.copiesInProgress().isEmpty)
    #expect(throws: HostError.self) { try place.spool.copyIn(FileName(place.home), name: a, as: Spooled.id(2)) }
    try place.spool.discardCopy(Spooled.id(2))
    try place.spool.discardCopy(Spooled.id(3))
  }

  @Test func `outputs are published by rename with their digests`() throws {
    let place = try Spooled()
    let out = try place.spool.openAttempt(Spooled.id(1), stage: "train", n: 1)
    try place.write(String(out.dropFirst(place.home.count + 1)) + "/deep/model", "abc")
    let artifacts = try place.spool.publish(
      [StageReply.Output(name: "model", path: "deep/model")], Spooled.id(1), stage: "train", n: 1)
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(artifacts == [Artifact(stage: "train", name: "model", path: "train/deep/model", bytes: 3, sha256: digest)])
    #expect(place.names("var/runs/\(Spooled.id(1))") == ["train"])
    #expect(
      place.spool.path(of: artifacts[0], run: Spooled.id(1)) == place.path("var/runs/\(Spooled.id(1))/train/deep/model")
    )
  }

  @Test func `an attempt begins empty, whatever an earlier one left there`() throws {
    let place = try Spooled()
    let out = try place.spool.openAttempt(Spooled.id(1), stage: "s", n: 1)
    try place.write(String(out.dropFirst(place.home.count + 1)) + "/left", "x")
    #expect(symlink("/etc", out + "/link") == 0)
    #expect(try place.spool.openAttempt(Spooled.id(1), stage: "s", n: 1) == out)
    #expect(place.names("var/runs/\(Spooled.id(1))/s.1").isEmpty && access("/etc/passwd", F_OK) == 0)
  }

  @Test func `directories made ahead are the next run's and its attempts', unless something was made of them`() throws {
    let place = try Spooled()
    let spare = place.path("var/runs/.spare")
    // of an agent that died
    try place.write("var/runs/.spare/9/left", "x")
    try place.write("var/runs/.spare/\(Int.max)/left", "x")
    let spoils = [
      "true", "chmod 0 *", "rmdir *; ln -s / 1", "rmdir *; mkfifo 12", "for d in *; do touch $d/x; done",
      "rm -r \"$PWD\"",
    ]
    for (n, spoil) in spoils.enumerated() {
      place.spool.foresee(.max)
      #expect(n > 0 || place.names("var/runs/.spare").count == 7)
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/sh")
      shell.arguments = ["-c", "cd '\(spare)' && \(spoil)"]
      try shell.run()
      shell.waitUntilExit()
      for attempt in 1...7 {
        let out = try place.spool.openAttempt(Spooled.id(n), stage: "s", n: attempt)
        var status = stat()
        #expect(lstat(out, &status) == 0 && status.st_mode == S_IFDIR | 0o700, "\(spoil)")
        #expect(place.names("var/runs/\(Spooled.id(n))/s.\(attempt)").isEmpty, "\(spoil)")
      }
      #expect(place.names("var/runs/\(Spooled.id(n))").count == 7, "\(spoil)")
    }
    // it was removed: others are made
    place.spool.foresee(.max)
    #expect(place.names("var/runs/.spare").count == 6)
  }

  @Test func `the directories of lanes are used again, empty`() throws {
    let place = try Spooled()
    place.spool.foresee(.max)
    for n in 1...3 {
      _ = try place.spool.openAttempt(Spooled.id(1), stage: "s", n: n)
      for lane in 0..<9 {
        let path = try place.spool.openLane(lane, Spooled.id(1), stage: "s", n: n)
        #expect(path == place.path("var/runs/\(Spooled.id(1))/s.\(n)/.lanes/\(lane)"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        if lane == n { try Data("x".utf8).write(to: URL(filePath: path + "/left")) }
        if lane == 5 { try Data("x".utf8).write(to: URL(filePath: path + "/../beside")) }
      }
      try place.spool.setLanesAside(Spooled.id(1), stage: "s", n: n)
      #expect(place.names("var/runs/\(Spooled.id(1))/s.\(n)").isEmpty)
      let spares = place.names("var/runs/.spare").count
      // a worker may still have its working directory there
      place.spool.removeLanes(Spooled.id(1), stage: "s", n: n, areFree: n < 3)
      #expect((place.names("var/runs/.spare").count > spares) == (n < 3))
      #expect(place.names("var/runs/\(Spooled.id(1))") == (1...n).map { "s.\($0)" })
      for name in place.names("var/runs/.spare") { #expect(place.names("var/runs/.spare/\(name)").isEmpty) }
    }
  }

  @Test func `a name that is not UTF-8 is reached by an alias`() throws {
    let place = try Spooled()
    let name = FileName([0xFF, 0x2E])
    let source = Array("\(place.home)/inbox/".utf8) + name.bytes
    let fd = FileName(source).withCName { open($0, O_WRONLY | O_CREAT, 0o644) }
    #expect(fd >= 0 && Glibc.write(fd, "raw", 3) == 3)
    close(fd)
    _ = try place.spool.claim(name, as: Spooled.id(1))
    let path = try place.spool.path(of: name, of: Spooled.id(1))
    #expect(FileManager.default.contents(atPath: path) == Data("raw".utf8))
    #expect(try place.spool.path(of: name, of: Spooled.id(1)) == path)
  }

  @Test func `the digest is that of the bytes, whatever their number`() throws {
    let place = try Spooled()
    try place.write("inbox/a.csv", String(repeating: "a", count: 1_000_000))
    _ = try place.spool.claim(a, as: Spooled.id(1))
    #expect(
      try place.spool.digest(of: a, of: Spooled.id(1))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }
}
