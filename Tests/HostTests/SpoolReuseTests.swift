import Core
import Foundation
import Glibc
import Testing

@testable import Host

/// What an earlier attempt left is copied to another run, or handed on within one.
@Suite struct SpoolReuseTests {
  private let place: Spooled
  private let artifacts: [Artifact]
  private let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

  init() throws {
    place = try Spooled()
    let out = try place.spool.openAttempt(Spooled.id(1), stage: "train", n: 1)
    for name in ["model", "deep/down/model"] {
      try place.write(String(out.dropFirst(place.home.count + 1)) + "/" + name, "abc", mode: 0o640)
    }
    artifacts = try place.spool.publish(
      [.init(name: "model", path: "model"), .init(name: "inner", path: "./deep/down/model")], Spooled.id(1),
      stage: "train", n: 1)
    _ = try place.spool.openAttempt(Spooled.id(2), stage: "fit", n: 3)
  }

  /// A process that another test begins has the files written here open until its exec: then it is tried again.
  private func republish() throws -> [Artifact] {
    while true {
      do {
        return try place.spool.republish(artifacts, of: Spooled.id(1), as: Spooled.id(2), stage: "fit", n: 3)
      } catch let stale as StaleArtifact where "\(stale)".contains("is being written to") { sched_yield() }
    }
  }

  private var old: String { "var/runs/\(Spooled.id(1))/train" }
  private var new: String { "var/runs/\(Spooled.id(2))" }

  @Test func `copies have the bytes, the times and the modes of what they are of, under their own stage`() throws {
    try place.write("\(new)/fit.3/hook", "left by a hook")
    let copies = try republish()
    #expect(copies.map(\.path) == ["fit/model", "fit/./deep/down/model"])
    #expect(copies.allSatisfy { $0.stage == "fit" && $0.bytes == 3 && $0.sha256 == digest })
    for copy in copies {
      #expect(place.text("\(new)/\(copy.path)") == "abc")
    }
    var (before, after) = (stat(), stat())
    #expect(stat(place.path("\(old)/model"), &before) == 0 && stat(place.path("\(new)/fit/model"), &after) == 0)
    #expect(before.st_ino != after.st_ino && before.st_mode == after.st_mode)
    #expect(before.st_mtim.tv_sec == after.st_mtim.tv_sec && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
    #expect(place.names(new) == ["fit", "fit.3"] && place.text("\(new)/fit.3/hook") == "left by a hook")
  }

  @Test func `one that was changed, cut, removed or replaced by a link is stale, and nothing is left of the copies`()
    throws
  {
    let file = place.path("\(old)/deep/down/model")
    let damages: [() throws -> Void] = [
      { try Data("abX".utf8).write(to: URL(fileURLWithPath: file)) },
      { try Data("ab".utf8).write(to: URL(fileURLWithPath: file)) },
      { unlink(file) },
      { symlink("/etc/hostname", file) },
      {
        unlink(file)
        mkdir(file, 0o700)
      },
      { try FileManager.default.removeItem(atPath: place.path("var/runs/\(Spooled.id(1))")) },
    ]
    for damage in damages {
      try damage()
      #expect(throws: StaleArtifact.self) { try republish() }
      #expect(place.names(new) == ["fit.3"])
    }
  }

  @Test func `what a killed agent had copied so far is no part of the next copy`() throws {
    try place.write("\(new)/fit.3.taken/half", "x")
    _ = try republish()
    #expect(place.names(new) == ["fit", "fit.3"] && place.names("\(new)/fit") == ["deep", "model"])
  }

  @Test func `a checkpoint goes to the next try that takes it, with what is in it, from the latest that left one`()
    throws
  {
    let run = Spooled.id(2)
    for n in [4, 5, 6, 7] { _ = try place.spool.openAttempt(run, stage: "fit", n: n) }
    #expect(try place.spool.takeCheckpoint(run, stage: "fit", n: 4) == nil)
    try place.write("\(new)/fit.4/checkpoint/epoch", "4")
    // a later one that has nothing in it does not hide it
    #expect(mkdir(place.path("\(new)/fit.5/checkpoint"), 0o700) == 0)
    let taken = try place.spool.takeCheckpoint(run, stage: "fit", n: 6)
    #expect(taken == place.path("\(new)/fit.6/checkpoint") && place.text("\(new)/fit.6/checkpoint/epoch") == "4")
    #expect(place.names("\(new)/fit.4").isEmpty)
    // another stage has none
    _ = try place.spool.openAttempt(run, stage: "other", n: 7)
    #expect(try place.spool.takeCheckpoint(run, stage: "other", n: 7) == nil)
    try place.write("\(new)/fit.6/out", "y")
    _ = try place.spool.publish([.init(name: "out", path: "out")], run, stage: "fit", n: 6)
    #expect(place.names("\(new)/fit") == ["out"])
  }
}
