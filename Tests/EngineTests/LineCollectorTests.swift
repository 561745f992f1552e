import Core
import Foundation
import Synchronization
import Testing

@testable import Engine

@Suite struct LineCollectorTests {
  @Test func `the end is kept, and the last line with a word is the last line`() {
    let lines = LineCollector(mask: SecretMask(values: [])) { _ in }
    for n in 0..<2000 { lines.take(Array("line \(n)".utf8)) }
    lines.take(Array("\u{1B}[31mboom".utf8))
    lines.take(Array(" \t\r".utf8))
    #expect(lines.tail.utf8.count <= 4096 && lines.tail.hasSuffix("boom\n \t\r\n"))
    #expect(lines.lastLine == "\\x1b[31mboom")
  }

  @Test func `a long last line is cut for a reason of one line`() {
    let lines = LineCollector(mask: SecretMask(values: [])) { _ in }
    lines.take(Array(repeating: 0x78, count: 5000))
    #expect(lines.lastLine?.count == 301)
  }

  @Test func `after 64 MiB lines are read and no longer passed on, and that is said once`() {
    let passed = Mutex<(count: Int, last: [UInt8])>((0, []))
    let lines = LineCollector(mask: SecretMask(values: [])) { line in passed.withLock { $0 = ($0.count + 1, line) } }
    let line = [UInt8](repeating: 0x78, count: (1 << 20) - 1)
    for _ in 0..<100 { lines.take(line) }
    #expect(passed.withLock { $0.count } == 65)
    #expect(String(decoding: passed.withLock { $0.last }, as: UTF8.self).contains("the rest is not logged"))
  }

  @Test func `a secret is masked before the tail or a reason is cut, so that no half of it shows`() {
    let secret = "hunter-" + String(repeating: "2", count: 400)
    let lines = LineCollector(mask: SecretMask(values: [secret])) { _ in }
    for filler in stride(from: 3700, through: 4100, by: 7) {
      lines.take(Array((secret + String(repeating: "x", count: filler)).utf8))
      #expect(!lines.tail.contains("222"))
    }
    lines.take(Array(("it is " + secret).utf8))
    #expect(lines.lastLine == "it is ***")
  }
}
