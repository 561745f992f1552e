import Core
import Foundation
import Glibc
import Store
import Testing

/// Disks that are full or read-only: intake pauses, says so, and goes on by itself.
@Suite(
  .serialized, .timeLimit(.minutes(2)),
  .enabled(if: geteuid() == 0, "needs root to mount small filesystems"))
struct ScenarioDiskTests {
  private func place(_ disk: String, stages: [(String, String)] = [("only", "exit 0")], _ settings: String = "") throws
    -> ScenarioWorkspace
  {
    let place = try ScenarioWorkspace(settings: settings, disk: disk)
    try place.pipeline(stages: stages)
    return place
  }

  /// What `status` says of the watching, and its exit code.
  private func status(_ place: ScenarioWorkspace) async throws -> (code: Int32, watch: JSON) {
    let ended = try await place.penstock("status", "--json")
    return (ended.code, try JSON(parsing: Data(ended.output.utf8))["watch"] ?? .null)
  }

  /// Leaves no more than about `rest` bytes.
  private func fill(_ place: ScenarioWorkspace, leaving rest: Int) throws {
    let file = open(place.path("ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    var space = statvfs()
    guard fstatvfs(file, &space) == 0 else { throw ScenarioFailure("statvfs") }
    let free = Int(space.f_bavail) * Int(space.f_frsize) - rest
    guard free <= 0 || posix_fallocate(file, 0, free) == 0 else { throw ScenarioFailure("cannot fill the disk") }
  }

  private func empty(_ place: ScenarioWorkspace) { unlink(place.path("ballast")) }

  @Test func `I23 (g) under the reserve nothing is claimed, it is said once, and goes on by itself`() async throws {
    let place = try place("size=32m")
    let agent = try await place.up()
    try fill(place, leaving: 900 << 10)
    for n in 0..<20 { try place.drop("\(n).csv") }
    try await place.waitForLog("intake is paused") { $0["reason"]?.string?.contains("less than the reserve") == true }
    let (code, watch) = try await status(place)
    #expect(code == 4 && watch["paused"]?.string?.contains("free") == true && watch["state"] == "degraded")
    #expect(try await place.runs().isEmpty && place.names("inbox").count == 20)
    empty(place)
    try await place.ended(20)
    #expect(place.logged("intake is paused").count == 1 && place.logged("intake goes on").count == 1)
    #expect(try await status(place).code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I23 (g) without room for another file nothing is held or lost`() async throws {
    let place = try place("size=32m,nr_inodes=900")
    let agent = try await place.up()
    var space = statvfs()
    #expect(statvfs(place.home, &space) == 0)
    let extra = Int(space.f_favail) - 100
    for n in 0..<extra { close(open(place.path("logs/\(n)"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)) }
    try place.drop("a.csv")
    try await place.waitForLog("intake is paused") { $0["reason"]?.string?.contains("room for more files") == true }
    #expect(try await status(place).code == 4)
    for n in 0..<extra { unlink(place.path("logs/\(n)")) }
    try await place.ended(1)
    #expect(place.logged("drop is held").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `I23 (g) a disk that fills up at every step of a run loses and doubles nothing`() async throws {
    // the stage fills the disk to the last page before it ends, so outcome and filing meet a full one
    let stage = """
      echo x >> "$PENSTOCK_HOME/logs/effects"
      cat /dev/zero > "$PENSTOCK_HOME/ballast" 2>/dev/null
      exit 0
      """
    let place = try place("size=16m", stages: [("fill", stage), ("after", "exit 0")], "concurrency: 1\n")
    // before the first stage fills the disk
    for n in 0..<6 { try place.drop("\(n).csv", "content \(n)") }
    let agent = try await place.up()
    for n in 1...6 {
      try await until(within: .seconds(30), "the stage of run \(n) to have filled the disk; \(place.tail)") {
        place.text("logs/effects").count == 2 * n && isFull(place)
      }
      // so long that a commit must have been refused and tried again
      try await until("a full disk to be there a while") { try await full(place, for: .milliseconds(700)) }
      empty(place)
    }
    let runs = try await place.ended(6)
    #expect(runs.allSatisfy { $0.state == .done })
    for run in runs { #expect(try await place.attempts(run).map(\.state) == [.ok, .ok]) }
    let contents = runs.map { place.text("var/done/\($0.id)/\($0.drop?.name.text ?? "")") }
    #expect(Set(contents) == Set((0..<6).map { "content \($0)" }))
    #expect(place.names("inbox").isEmpty && place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.timeLimit(.minutes(1)))
  func `I23 (g) a disk that fills up during trials start ends the command, and the trial goes on later`()
    async throws
  {
    let place = try place("size=16m")
    try place.script(
      "stages/train.sh",
      """
      cat > /dev/null
      [ ! -e "$PENSTOCK_HOME/full" ] || cat /dev/zero > "$PENSTOCK_HOME/ballast" 2>/dev/null
      echo '{"metrics":{"quality":0.9}}'
      """)
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      trials: { metric: quality, margin: 0.05, relaxed: true }
      stages: [ { name: train, run: [./stages/train.sh], granularity: auto, splits: true, fine: {} } ]
      """)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.write("full", "")
    let ended = try await place.penstock("trials", "start", "p", "--wait")
    // its words have no room either
    #expect(ended.code == 75, "\(ended.code)")
    #expect(try await place.reader { try await $0.observations(of: 1) }.count <= 1)
    unlink(place.path("full"))
    empty(place)
    let again = try await place.penstock("trials", "start", "p", "--wait", "--budget", "1s", "--json")
    #expect(try JSON(parsing: Data(again.output.utf8))["trial"]?["number"] == 1, "\(again.output)\(again.complaints)")
  }

  @Test func `I24 an inbox that becomes read-only pauses intake without a busy loop, and goes on by itself`()
    async throws
  {
    let place = try place("size=32m", "rescan: 1s\n")
    #expect(mount("penstock-test", place.path("inbox"), "tmpfs", 0, "size=4m") == 0)
    defer { umount2(place.path("inbox"), Int32(MNT_DETACH)) }
    let agent = try await place.up()
    try place.write("inbox/marker.json", "x")
    try await place.waitForLog("no pipeline takes this drop; it stays in the inbox")
    #expect(mount("", place.path("inbox"), "", UInt(MS_REMOUNT | MS_RDONLY), "") == 0)
    try await place.waitForLog("intake is paused") {
      $0["reason"]?.string?.contains("`inbox/` is read-only") == true
    }
    #expect(try await status(place).code == 4)
    let before = try ticks(of: agent.pid)
    try await Task.sleep(for: .seconds(1))
    #expect(try ticks(of: agent.pid) - before <= 10, "a busy loop takes 100 ticks a second")
    #expect(mount("", place.path("inbox"), "", UInt(MS_REMOUNT), "") == 0)
    try await place.waitForLog("intake goes on")
    #expect(place.logged("intake is paused").count == 1)
    #expect(try await status(place).code == 0)
    #expect(try await place.stop(agent).code == 0)
  }

  // MARK: -

  private func isFull(_ place: ScenarioWorkspace) -> Bool {
    var space = statvfs()
    return statvfs(place.home, &space) == 0 && space.f_bavail == 0
  }

  /// Whether it stays full for a time.
  private func full(_ place: ScenarioWorkspace, for time: Duration) async throws -> Bool {
    let deadline = ContinuousClock.now + time
    while ContinuousClock.now < deadline {
      if !isFull(place) { return false }
      try await Task.sleep(for: .milliseconds(20))
    }
    return true
  }

  /// CPU time of a process in hundredths of a second, proc(5).
  private func ticks(of pid: pid_t) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    return (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0)
  }
}
