import Core
import Foundation
import Glibc
import Store
import Testing

/// Drops that cannot be moved into `var/`: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScenarioCopyTests {
  /// A workspace whose inbox is a directory of another filesystem.
  private func foreign(_ settings: String = "") throws -> (ScenarioWorkspace, Foreign) {
    let place = try ScenarioWorkspace.taking(settings)
    let other = try Foreign()
    #expect(rmdir(place.path("inbox")) == 0)
    #expect(symlink(other.path, place.path("inbox")) == 0)
    return (place, other)
  }

  @Test func `I25 drops of another filesystem are copied in, and leave it whole, with their times and modes`()
    async throws
  {
    let (place, other) = try foreign()
    let agent = try await place.up()
    try place.write("inbox/.new", "a,b\n1,2\n", mode: 0o640)
    var times = [timeval(tv_sec: 1_600_000_000, tv_usec: 0), timeval(tv_sec: 1_600_000_000, tv_usec: 0)]
    #expect(utimes(place.path("inbox/.new"), &times) == 0)
    #expect(rename(place.path("inbox/.new"), place.path("inbox/first.csv")) == 0)
    let first = try #require(try await place.ended(1).first)
    #expect(place.text("var/done/\(first.id)/first.csv") == "a,b\n1,2\n")
    var status = stat()
    #expect(stat(place.path("var/done/\(first.id)/first.csv"), &status) == 0)
    #expect(status.st_mtim.tv_sec == 1_600_000_000 && status.st_mode & 0o777 == 0o640)
    #expect(first.drop?.sha256?.count == 64)
    for n in 0..<300 { try place.drop("\(n).csv", "content \(n)") }
    let runs = try await place.ended(301)
    #expect(Set(runs.compactMap { $0.drop?.name }).count == 301 && runs.allSatisfy { $0.state == .done })
    for run in runs.dropFirst() {
      let name = try #require(run.drop?.name.text)
      #expect(place.text("var/done/\(run.id)/\(name)") == "content \(name.dropLast(4))")
    }
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty && other.names.isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I25 a large copy keeps no other drop waiting, and a stop in it loses nothing`() async throws {
    let (place, other) = try foreign()
    // of zeros that are no hole, so that all of it is read and written
    let large = try #require(FileHandle(forWritingAtPath: other.make("large.csv")))
    let part = Data(repeating: 7, count: 32 << 20)
    for _ in 0..<20 { try large.write(contentsOf: part) }
    try large.close()
    #expect(link(other.path + "/large.csv", place.path("inbox/.again")) == 0)
    // where this machine is so busy that the copy is not seen under way, it is made again
    for round in 0..<6 {
      let agent = try await place.up()
      var isSeen = false
      try await until("the copy to begin; \(place.tail)") {
        isSeen = place.names("var/work").contains { $0.hasPrefix(".copy-") }
        if isSeen { return true }
        return try await place.runs().count > round
      }
      let wasCopying = isSeen && place.exists("inbox/large.csv")
      #expect(try await place.stop(agent).code == 0)
      let begun = try await place.runs().count
      guard wasCopying, begun == round else {
        _ = link(place.path("inbox/.again"), place.path("inbox/large.csv"))
        continue
      }
      #expect(place.exists("inbox/large.csv") && place.names("var/work").isEmpty)
      #expect(try await place.penstock("up", "--once").code == 0)
      let run = try #require(try await place.runs().last)
      #expect(run.state == .done && run.drop?.bytes == 640 << 20 && other.names == [".again"])
      return
    }
    Issue.record("no copy was seen under way")
  }

  @Test func `I25 an agent that is killed again and again while it copies takes each drop in once`() async throws {
    let (place, other) = try foreign("concurrency: 4\n")
    for n in 0..<400 { try place.write("inbox/\(n).csv", "content \(n)") }
    for round in 0..<12 {
      let agent = try place.start("up")
      // from before the first copy to after the first runs
      try await Task.sleep(for: .milliseconds(100 + round * 45))
      agent.signal(SIGKILL)
      _ = try await agent.end()
    }
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.count == 400 && runs.allSatisfy { $0.state == .done && $0.filed })
    var contents: [String] = []
    for run in runs { contents.append(place.text("var/done/\(run.id)/\(run.drop?.name.text ?? "")")) }
    #expect(Set(contents) == Set((0..<400).map { "content \($0)" }))
    #expect(other.names.isEmpty && place.names("var/work").isEmpty)
  }

  @Test(.enabled(if: ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] != nil, "reads 2 GB twice"))
  func `I05 the digest of a large file is made in little memory`() async throws {
    let place = try ScenarioWorkspace.taking()
    let path = place.create("big.csv")
    #expect(truncate(path, 2 << 30) == 0)
    let sum = try ScenarioProgram(["/usr/bin/sha256sum", path], environment: [:], logs: place.path("logs/sum"))
    let expected = try await sum.end().output.prefix(64)
    let agent = try await place.up()
    let run = try #require(try await place.ended(1, within: .seconds(60)).first)
    #expect(run.drop?.sha256.map { $0 == expected } == true)
    let status = try String(contentsOfFile: "/proc/\(agent.pid)/status", encoding: .utf8)
    let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }?.split(separator: " ").dropFirst().first
    #expect(try #require(peak.flatMap { Int($0) }) < 100_000, "\(status)")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `I25 an inbox that is read-only is said to be so, and its drops run when it is not`() async throws {
    let place = try ScenarioWorkspace.taking("rescan: 1s\n")
    let mount = try Mounted(place, at: "inbox")
    try place.drop("a.csv", "whole")
    try await mount.remount("ro")
    let agent = try await place.up()
    try await place.waitForLog("intake is paused") {
      $0["reason"]?.string == "the filesystem of `inbox/` is read-only; mount it writable, or set `source: keep`"
    }
    #expect(try await place.runs().isEmpty)
    try await mount.remount("rw")
    let runs = try await place.ended(1)
    #expect(place.text("var/done/\(runs[0].id)/a.csv") == "whole" && place.names("inbox").isEmpty)
    #expect(try await place.stop(agent).code == 0)
    try await mount.unmount()
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `I25 a run whose source cannot be removed waits, and the source is not taken in again`() async throws {
    let place = try ScenarioWorkspace.taking("rescan: 1s\n")
    let mount = try Mounted(place, at: "inbox")
    try place.drop("a.csv", "first")
    #expect(try await place.penstock("up", "--once").code == 0)
    let earlier = try #require(try await place.runs().first)
    try place.drop("b.csv", "second")
    var status = stat()
    #expect(stat(place.path("inbox/b.csv"), &status) == 0)
    try await mount.remount("ro")
    // what a crash after the commit and before the removal leaves
    var run = earlier
    var chance = SystemRandomNumberGenerator()
    run.id = RunID(now: Date(), using: &chance)
    run.state = .queued
    (run.started, run.ended, run.filed) = (nil, nil, false)
    run.drop = Drop(name: FileName("b.csv"), bytes: 6)
    try place.write("var/work/.copy-\(run.id)/b.csv", "second")
    let sample = FileSample(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: 6, links: 1,
      modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec), changed: 0)
    let store = try StateStore(path: place.path("var/state.db"))
    _ = try await store.claim([NewRun(run, source: .leaving(sample))])
    try store.close()
    let agent = try await place.up()
    try await place.waitForHold("b.csv", "was copied as run #2, which begins when the file can be removed")
    #expect(try await place.runs().map(\.state) == [.done, .queued])
    try await mount.remount("rw")
    let runs = try await place.ended(2)
    try await place.passOver(runs: 3)
    #expect(place.text("var/done/\(runs[1].id)/b.csv") == "second" && place.names("inbox").isEmpty)
    #expect(try await place.stop(agent).code == 0)
    try await mount.unmount()
  }

  @Test func `I25 with source keep drops stay, and each is taken once, whatever starts in between`() async throws {
    let (place, other) = try foreign("source: keep\nrescan: 1s\n")
    try place.drop("a.csv", "one")
    var agent = try await place.up()
    try await place.ended(1)
    try place.drop("b.csv", "two")
    try await place.ended(2)
    try await told(place)
    #expect(try await place.stop(agent).code == 0)
    #expect(Set(other.names) == ["a.csv", "b.csv"])
    try await told(place)
    agent = try await place.up()
    try place.drop("a.csv", "three")
    try await place.ended(3)
    try await place.passOver(runs: 4)
    #expect(try await place.stop(agent).code == 0)
    let runs = try await place.runs()
    let contents = runs.map { place.text("var/done/\($0.id)/\($0.drop?.name.text ?? "")") }
    #expect(contents.dropLast() == ["one", "two", "three"])
    #expect(Set(other.names) == ["a.csv", "b.csv", "marker.csv"])
  }

  /// Drops that were taken and stay are told from those that wait, with and without an agent.
  private func told(_ place: ScenarioWorkspace) async throws {
    let inbox = try JSON(parsing: Data(try await place.penstock("inbox", "--json").output.utf8))
    #expect(inbox["drops"]?.array?.map { $0["state"]?.string } == ["kept", "kept"])
    #expect(inbox["drops"]?.array?.first?["reason"]?.string == "run 1 took it; it stays here (`source: keep`)")
    let why = try await place.penstock("why", "b.csv")
    #expect(why.code == 0 && why.output.contains("run 2 took it; it stays here"), "\(why)")
    let status = try JSON(parsing: Data(try await place.penstock("status", "--json").output.utf8))
    #expect(status["waiting"]?.array?.isEmpty == true, "\(status)")
  }

  @Test func `I09 a hard link is copied in, and its name in the inbox goes`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("elsewhere.csv", "linked")
    #expect(link(place.path("elsewhere.csv"), place.path("inbox/a.csv")) == 0)
    let agent = try await place.up()
    let run = try #require(try await place.ended(1).first)
    #expect(run.state == .done && place.names("inbox").isEmpty && place.names("var/work").isEmpty)
    // what is written to the other link now reaches no drop
    try Data("changed".utf8).write(to: URL(fileURLWithPath: place.path("elsewhere.csv")))
    let handle = try #require(FileHandle(forUpdatingAtPath: place.path("elsewhere.csv")))
    try handle.write(contentsOf: Data("CHANGED".utf8))
    try handle.close()
    #expect(place.text("var/done/\(run.id)/a.csv") == "linked")
    #expect(run.drop?.sha256 == "2272bea616a05ae194c58b63752b39924a7beed67597c20dcb5586d1ee517290")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I09 a hard link is not taken in while the other link is written to`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.write("elsewhere.csv", "half")
    let agent = try await place.up()
    // opened now, for an agent that was started later would have it open itself
    let writer = try #require(FileHandle(forWritingAtPath: place.path("elsewhere.csv")))
    #expect(link(place.path("elsewhere.csv"), place.path("inbox/a.csv")) == 0)
    try await place.passOver(runs: 1)
    #expect(place.exists("inbox/a.csv"))
    try writer.seekToEnd()
    try writer.write(contentsOf: Data(" whole".utf8))
    try writer.close()
    let runs = try await place.ended(2)
    #expect(place.text("var/done/\(runs[1].id)/a.csv") == "half whole")
    #expect(place.text("elsewhere.csv") == "half whole")
    #expect(try await place.stop(agent).code == 0)
  }
}

/// A directory of another filesystem than `/tmp`, removed in the end.
private final class Foreign {
  let path = "/dev/shm/penstock-scenario-" + UUID().uuidString.prefix(13)

  init() throws {
    guard mkdir(path, 0o755) == 0 else { throw ScenarioFailure("cannot make \(path)") }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

  func make(_ name: String) -> String {
    close(open(path + "/" + name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    return path + "/" + name
  }
}
