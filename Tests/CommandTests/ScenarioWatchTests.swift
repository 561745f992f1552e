import Core
import Foundation
import Glibc
import Testing

/// Drops that no event tells of, and inboxes that are not where they were: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ScenarioWatchTests {
  private func place(_ settings: String) throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(stages: [("only", "exit 0")])
    return place
  }

  private func status(_ place: ScenarioWorkspace) async throws -> (code: Int32, watch: JSON) {
    let ended = try await place.penstock("status", "--json")
    return (ended.code, try JSON(parsing: Data(ended.output.utf8))["watch"] ?? .null)
  }

  @Test func `I18 (e) a replaced inbox is found within 10 s, and a missing one is said once`() async throws {
    let place = try place("rescan: 1h\n")
    let agent = try await place.up()
    try place.drop("0.csv")
    try await place.ended(1)
    #expect(rename(place.path("inbox"), place.path("away")) == 0)
    try await place.waitForLog("watching is impaired") { $0["reason"]?.string?.contains("the inbox is gone") == true }
    try await until("a status that says so") { try await status(place).code == 4 }
    #expect(mkdir(place.path("inbox"), 0o755) == 0)
    try place.drop("1.csv")
    try await place.ended(2, within: .seconds(10))
    for round in 2...4 {
      try FileManager.default.removeItem(atPath: place.path("inbox"))
      #expect(mkdir(place.path("inbox"), 0o755) == 0)
      try place.drop("\(round).csv")
      try await place.ended(round + 1, within: .seconds(10))
    }
    #expect(place.logged("watching is impaired") { $0["reason"]?.string?.contains("gone") == true }.count <= 4)
    #expect(try await status(place).code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I18 (e) an inbox behind a link that is swapped is found within 10 s`() async throws {
    let place = try place("rescan: 1h\n")
    for side in ["one", "two"] { try place.write("\(side)/in/.keep", "") }
    try FileManager.default.removeItem(atPath: place.path("inbox"))
    #expect(symlink("one", place.path("now")) == 0 && symlink("now/in", place.path("inbox")) == 0)
    let agent = try await place.up()
    try place.drop("a.csv")
    try await place.ended(1)
    #expect(symlink("two", place.path("next")) == 0)
    #expect(rename(place.path("next"), place.path("now")) == 0)
    try place.drop("b.csv")
    try await place.ended(2, within: .seconds(10))
    #expect(place.names("two/in") == [".keep"])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `I18 (e) an inbox that is mounted over and unmounted again is found within 10 s`() async throws {
    let place = try place("rescan: 1h\n")
    let agent = try await place.up()
    try await mount(place, "-t tmpfs -o size=4m penstock-test \(place.path("inbox"))")
    defer { unmount(place.path("inbox")) }
    try place.drop("over.csv")
    // on another filesystem than `var/`: that it was seen is what counts here
    try await until(within: .seconds(10), "over.csv to be seen; \(place.tail)") {
      !place.logged("drop is held").isEmpty || !place.logged("drop claimed").isEmpty
    }
    try await until("over.csv to be left alone or gone") { unmountOnce(place.path("inbox")) }
    try place.drop("under.csv")
    try await until(within: .seconds(10), "under.csv to be run; \(place.tail)") {
      try await place.runs().contains { $0.drop?.name == FileName("under.csv") && $0.state == .done }
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `G9 (e) a drop on an overlay that no event tells of is found by the regular look`() async throws {
    try await findHidden(rescan: "2s", within: .seconds(20))
  }

  @Test(
    .enabled(
      if:
        geteuid() == 0 && ProcessInfo.processInfo.environment["PENSTOCK_SLOW_TESTS"] != nil,
      "needs root to mount, and PENSTOCK_SLOW_TESTS"))
  func `G9 (e) with the default settings it is found within 60 s and the settling`() async throws {
    try await findHidden(rescan: "1m", within: .seconds(63))
  }

  private func findHidden(rescan: String, within limit: Duration) async throws {
    let place = try ScenarioWorkspace()
    try FileManager.default.createDirectory(atPath: place.path("disk"), withIntermediateDirectories: true)
    try await mount(place, "-t tmpfs -o size=64m penstock-test \(place.path("disk"))")
    defer { unmount(place.path("disk")) }
    let inner = try OverlaidHome(on: place, rescan: rescan)
    defer { unmount(inner.home) }
    try await mount(
      place,
      "-t overlay -o lowerdir=\(inner.lower),upperdir=\(inner.upper),workdir=\(inner.work) penstock-test \(inner.home)")
    let agent = try inner.start(place)
    try await until("the agent to answer; \(agent.text)") { inner.exists("var/penstock.sock") }
    try inner.drop("seen.csv")
    try await until("the first drop to be done; \(inner.log.suffix(2000))") { inner.runsEnded == 1 }
    // beneath the overlay: the watch on the merged directory sees nothing of it
    let began = ContinuousClock.now
    try inner.writeBeneath("inbox/hidden.csv", "x")
    try await until(within: limit, "the drop to be done; \(inner.log.suffix(2000))") { inner.runsEnded == 2 }
    print("G9: found \(ContinuousClock.now - began) after it was written, with rescan: \(rescan)")
    agent.signal(SIGTERM)
    #expect(try await agent.end().code == 0)
  }

  @Test func `I20 without inotify watches the inbox is polled, the sysctl is named, and events come back`() async throws
  {
    let probe = try ScenarioProgram(
      ["/usr/bin/unshare", "-Ur", "/bin/sh", "-c", "echo 0 > /proc/sys/user/max_inotify_watches"], environment: [:],
      logs: "/tmp/watch-probe-\(getpid())")
    guard try await probe.end().code == 0 else {
      print("skipped: I20 needs user namespaces (unshare -Ur)")
      return
    }
    for name in ["out", "err"] { unlink("/tmp/watch-probe-\(getpid()).\(name)") }
    let place = try place("rescan: 1h\npoll: 300ms\n")
    // the limit is that of the namespace the agent lives in; a shell in it changes it while the agent runs
    try place.script(
      "limited.sh",
      """
      echo 0 > /proc/sys/user/max_inotify_watches
      (while [ ! -e "\(place.path("raise"))" ]; do sleep 0.05; done; echo 1000 > /proc/sys/user/max_inotify_watches) &
      exec "$@"
      """)
    let agent = try await place.up(wrapped: ["/usr/bin/unshare", "-Ur", place.path("limited.sh")])
    try await place.waitForLog("watching is impaired") {
      $0["reason"]?.string?.contains("user.max_inotify_watches` (now 0)") == true
    }
    let (code, watch) = try await status(place)
    #expect(code == 4 && watch["mode"] == "polling")
    try place.drop("a.csv")
    try await place.ended(1)
    try place.write("raise", "")
    try await place.waitForLog("watching is whole again")
    try await until("events again") {
      let (code, watch) = try await status(place)
      return code == 0 && watch["mode"] == "events" && watch["troubles"]?.array?.isEmpty == true
    }
    try place.drop("b.csv")
    try await place.ended(2)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I21 with watch poll drops are found by looking, and status says so`() async throws {
    let place = try place("watch: poll\npoll: 200ms\nrescan: 1h\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await place.ended(1)
    let (code, watch) = try await status(place)
    #expect(code == 0 && watch["mode"] == "polling")
    #expect(try await place.penstock("status").output.contains("looked at every 200ms"))
    #expect(try await place.stop(agent).code == 0)
  }

  // MARK: -

  private func mount(_ place: ScenarioWorkspace, _ arguments: String) async throws {
    let ended = try await ScenarioProgram(
      ["/bin/sh", "-c", "mount " + arguments], environment: ["PATH": "/usr/sbin:/sbin:/usr/bin:/bin"],
      logs: place.path("logs/mount")
    ).end()
    guard ended.code == 0 else { throw ScenarioFailure("cannot mount: \(ended.complaints)") }
  }

  private func unmountOnce(_ path: String) -> Bool { umount2(path, 0) == 0 }

  private func unmount(_ path: String) { umount2(path, Int32(MNT_DETACH)) }
}

/// A workspace whose directory is an overlay, and the upper layer beneath it.
private struct OverlaidHome {
  let lower, upper, work, home: String

  init(on place: ScenarioWorkspace, rescan: String) throws {
    (lower, upper) = (place.path("disk/lower"), place.path("disk/upper"))
    (work, home) = (place.path("disk/work"), place.path("merged"))
    for directory in [lower, work, home, upper + "/inbox", upper + "/pipelines", upper + "/etc", upper + "/stages"] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    try writeBeneath("etc/penstock.yaml", "settle: 50ms\nreserve: 1MiB\nrescan: \(rescan)\n")
    try writeBeneath(
      "pipelines/p.yaml",
      "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [ { name: only, run: [\"/bin/true\"] } ]\n")
  }

  func writeBeneath(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: upper + "/" + name))
  }

  func exists(_ name: String) -> Bool { access(home + "/" + name, F_OK) == 0 }

  func drop(_ name: String) throws {
    try Data("x".utf8).write(to: URL(fileURLWithPath: home + "/inbox/.new"))
    guard rename(home + "/inbox/.new", home + "/inbox/" + name) == 0 else { throw ScenarioFailure("cannot drop") }
  }

  var runsEnded: Int { log.split(separator: "\n").count { $0.contains("\"run ended\"") } }

  var log: String {
    String(decoding: FileManager.default.contents(atPath: home + "/var/logs/agent.ndjson") ?? Data(), as: UTF8.self)
  }

  func start(_ place: ScenarioWorkspace) throws -> ScenarioProgram { try place.start(["up"], at: home) }
}
