import Core
import Glibc
import Testing

@testable import Host

@Suite(.timeLimit(.minutes(5))) struct InotifyTests {
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
}
