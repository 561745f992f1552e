import Core
import Foundation
import Glibc
@testable import Host
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct InotifyTests {
  private func event(_ watch: Int32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
    let padded = name.isEmpty ? [] : name + Array(repeating: 0, count: 16 - name.count % 16)
    return [UInt32(bitPattern: watch), mask, 0, UInt32(padded.count)].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    } + padded
  }

  @Test func `events are read one after another, names without their padding`() {
    let bytes = event(3, 0x100, Array("a.csv".utf8)) + event(-1, 0x4000, []) + event(4, 0x80, [0xFF])
    let events = InotifyEvent.parse(bytes[...])
    #expect(events.map(\.watch) == [3, -1, 4] && events.map(\.mask) == [0x100, 0x4000, 0x80])
    #expect(events.map(\.name) == [FileName("a.csv"), FileName(""), FileName([0xFF])])
    #expect(events[1].has(IN_Q_OVERFLOW) && !events[0].has(IN_Q_OVERFLOW))
  }

  @Test func `what is cut off is left out, wherever it is cut`() {
    let bytes = event(3, 0x100, Array("a.csv".utf8)) + event(4, 0x80, Array("b.csv".utf8))
    for end in 0..<bytes.count {
      #expect(InotifyEvent.parse(bytes[..<end]).count == (end < 32 ? 0 : 1))
    }
    #expect(InotifyEvent.parse((Array(repeating: 0xFF, count: 64))[...]).isEmpty)
  }

  @Test func `no bytes at all crash the reading`() {
    var state: UInt64 = 1
    for _ in 0..<2000 {
      let bytes = (0..<200).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 60 == 0 ? state >> 33 : 0)
      }
      #expect(InotifyEvent.parse(bytes[...]).count <= 12)
    }
  }

  @Test func `drops are hinted at by name, renames as such, and configs apart`() async throws {
    let place = try Spooled()
    try FileManager.default.createDirectory(atPath: place.path("pipelines"), withIntermediateDirectories: true)
    let reactor = try Reactor()
    defer { reactor.stop() }
    let (stream, rung) = AsyncStream<String>.makeStream()
    let watcher = try InotifyWatcher(
      reactor: reactor, spool: place.spool, configRoots: [place.path("pipelines")], rescan: .seconds(60),
      calls: .init(inbox: { rung.yield("inbox") }, configs: { rung.yield("configs") }))
    defer { watcher.stop() }
    #expect(watcher.hints().scanInbox)
    var rings = stream.makeAsyncIterator()
    var seen = WatchHints()
    try place.write("outside", "x")
    #expect(rename(place.path("outside"), place.path("inbox/moved")) == 0)
    try place.write("inbox/written", "x")
    try place.write("pipelines/deep/p.yaml", "x")
    while seen.names.count < 2 || !seen.configs {
      _ = await rings.next()
      let hints = watcher.hints()
      seen.names.merge(hints.names) { _, last in last }
      seen.configs = seen.configs || hints.configs
    }
    #expect(seen.names[FileName("moved")] == true && seen.names[FileName("written")] == false)
    #expect(watcher.troubles().isEmpty)
  }

  @Test func `an inbox that is gone is a trouble until there is one again`() async throws {
    let place = try Spooled()
    let reactor = try Reactor()
    defer { reactor.stop() }
    let (stream, rung) = AsyncStream<Void>.makeStream()
    let watcher = try InotifyWatcher(
      reactor: reactor, spool: place.spool, configRoots: [], rescan: .seconds(60),
      calls: .init(inbox: { rung.yield() }, configs: {}))
    defer { watcher.stop() }
    _ = watcher.hints()
    var rings = stream.makeAsyncIterator()
    #expect(rename(place.path("inbox"), place.path("away")) == 0)
    while watcher.troubles().isEmpty { _ = await rings.next() }
    _ = watcher.hints()
    #expect(mkdir(place.path("inbox"), 0o755) == 0)
    while !watcher.troubles().isEmpty { _ = await rings.next() }
    #expect(watcher.hints().scanInbox)
    try place.write("inbox/a", "x")
    while watcher.hints().names[FileName("a")] == nil { _ = await rings.next() }
  }
}
