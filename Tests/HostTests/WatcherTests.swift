import Core
import Foundation
import Glibc
import Testing

@testable import Host

@Suite(.timeLimit(.minutes(5))) struct WatcherTests {
  @Test func `drops are hinted at by name, renames as such, and configs apart`() async throws {
    let place = try Spooled()
    try FileManager.default.createDirectory(atPath: place.path("pipelines"), withIntermediateDirectories: true)
    let watching = try Watching(place, configRoots: [place.path("pipelines")])
    #expect(watching.watcher.hints().scanInbox)
    try place.write("outside", "x")
    #expect(rename(place.path("outside"), place.path("inbox/moved")) == 0)
    try place.write("inbox/written", "x")
    try place.write("pipelines/deep/p.yaml", "x")
    await watching.until { watching.seen.names.count >= 2 && watching.seen.configs }
    #expect(watching.seen.names[FileName("moved")] == true && watching.seen.names[FileName("written")] == false)
    #expect(watching.watcher.report() == WatchReport(mode: .events, filesystem: watching.watcher.report().filesystem))
  }

  @Test func `I19 when the kernel's queue is full it is counted, and the inbox looked at whole`() async throws {
    let watching = try Watching(Spooled())
    watching.forget()
    let limit = try #require(Health.inotifyLimit("max_queued_events"))
    let inbox = watching.place.path("inbox")
    // the reactor is kept busy while more come than the queue holds: names that differ, for equal ones are merged
    watching.blockReactor(until: {
      for n in 0...limit { close(open("\(inbox)/\(n)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)) }
    })
    await watching.until { watching.seen.scanInbox && watching.watcher.report().overflows == 1 }
    #expect(watching.news == [.overflowed(1)])
    // what is remembered by name stays bounded
    #expect(watching.seen.names.count <= 16_384)
  }

  @Test func `the regular look asks for a scan where something lies there that could be a drop`() async throws {
    let place = try Spooled()
    try place.write("inbox/.keep", "")
    try place.write("inbox/a.part", "")
    let watching = try Watching(place, rescan: .milliseconds(20), watch: .poll, poll: .milliseconds(20))
    #expect(try InboxPlace(path: place.path("inbox")).isEmpty)
    watching.forget()
    try place.write("inbox/a", "x")
    await watching.until { watching.seen.scanInbox }
    #expect(watching.seen.names.isEmpty)
  }

  @Test func `I21 on a filesystem that others write to it is polled, said so, and leases are not believed`()
    async throws
  {
    let place = try Spooled()
    let remote = Filesystem(name: "nfs", isRemote: true)
    let watching = try Watching(place, poll: .milliseconds(50), kind: { _ in remote })
    #expect(watching.watcher.report().filesystem == remote && watching.watcher.report().troubles.isEmpty)
    guard case .polling(.milliseconds(50), _) = watching.watcher.report().mode else {
      Issue.record("not polled: \(watching.watcher.report().mode)")
      return
    }
    for _ in 0..<3 {
      watching.forget()
      await watching.until { watching.seen.scanInbox }
    }
    try place.write("inbox/a", "x")
    let inbox = InboxDirectory(try InboxPlace(path: place.path("inbox"), kind: { _ in remote }))
    guard case .file(_, .unknown) = try inbox.look(at: FileName("a")) else {
      Issue.record("a lease was believed")
      return
    }
  }

  @Test func `names come in portions, each once, and none at the end`() throws {
    let place = try Spooled()
    for n in 0..<1000 { try place.write("inbox/\(n)", "") }
    let stream = try InboxDirectory(path: place.path("inbox")).names()
    var seen: [FileName] = []
    while true {
      let names = try stream.next(64)
      #expect(names.count <= 64)
      if names.isEmpty { break }
      seen += names
      for name in names.prefix(32) { unlink(place.path("inbox/" + (name.text ?? ""))) }
    }
    #expect(seen.count == 1000 && Set(seen).count == 1000)
    #expect(try stream.next(64).isEmpty)
  }
}
