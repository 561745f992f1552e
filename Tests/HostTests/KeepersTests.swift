import CSystem
import Glibc
import Testing

@testable import Host

@Suite struct KeepersTests {
  /// Our end of a line, and the keeper's.
  private func line() throws -> (ours: Descriptor, theirs: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(packet_socket_pair(&ends), "make a socket")
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  private func text(_ descriptor: Descriptor) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = recv(descriptor.number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    return Array(bytes.prefix(max(0, count)))
  }

  @Test func `the keeper that became idle last gets the next program`() throws {
    var keepers = Keepers()
    let lines = try (0..<3).map { _ in try line() }
    for (index, line) in lines.enumerated() { keepers.add(UInt64(index), line: line.ours, token: UInt64(index)) }
    var isPassed = keepers.pass([1], [], token: 9)
    #expect(!isPassed)
    for serial: UInt64 in [2, 0, 1] { keepers.rest(serial, now: 0) }
    for token: UInt64 in 10...12 {
      isPassed = keepers.pass([UInt8(token - 9)], [], token: token)
      #expect(isPassed)
    }
    #expect(lines.map { text($0.theirs) } == [[2], [1], [3]])
    isPassed = keepers.pass([4], [], token: 13)
    #expect(!isPassed)
    #expect(keepers.send([5], toKeeperOf: 11) && !keepers.send([6], toKeeperOf: 13))
    #expect(text(lines[0].theirs) == [5])
  }

  @Test func `one that has gone is passed over, and what it had in hand is known until it is told of`() throws {
    var keepers = Keepers()
    let lines = try (0..<2).map { _ in try line() }
    for (index, line) in lines.enumerated() {
      keepers.add(UInt64(index), line: line.ours, token: 0)
      keepers.rest(UInt64(index), now: 0)
    }
    lines[1].theirs.close()
    let isPassed = keepers.pass([1], [], token: 7)
    #expect(isPassed)
    #expect(text(lines[0].theirs) == [1])
    let left = [0, 1, 4711].map { keepers.remove($0) }
    #expect(left == [7, nil, nil])
  }

  @Test func `who was idle for long is let go of, the oldest first`() throws {
    var keepers = Keepers()
    let lines = try (0..<2).map { _ in try line() }
    let patience = Keepers.patience.nanoseconds
    for (index, line) in lines.enumerated() {
      keepers.add(UInt64(index), line: line.ours, token: 0)
      keepers.rest(UInt64(index), now: Int64(index) * 10)
    }
    let next = [keepers.retire(now: patience - 1), keepers.retire(now: patience)]
    #expect(next == [patience, patience + 10])
    #expect(lines[0].ours.number < 0 && lines[1].ours.number >= 0)
    let isPassed = keepers.pass([1], [], token: 7)
    #expect(isPassed && text(lines[1].theirs) == [1])
    let none = keepers.retire(now: .max)
    #expect(none == nil)
  }

  @Test func `a keeper without a line never rests`() {
    var keepers = Keepers()
    keepers.add(1, line: nil, token: 5)
    keepers.rest(1, now: 0)
    let isPassed = keepers.pass([1], [], token: 6)
    #expect(!isPassed)
    let left = keepers.remove(1)
    #expect(left == 5)
  }
}
