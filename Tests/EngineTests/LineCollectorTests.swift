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

  @Test
  func
    `P04: of more than 64 MiB the beginning is passed on at once and the end at the end, and it says what is missing`()
  {
    let passed = Mutex<[[UInt8]]>([])
    let lines = LineCollector(mask: SecretMask(values: [])) { line in passed.withLock { $0.append(line) } }
    let filler = [UInt8](repeating: 0x78, count: (1 << 16) - 1)
    for n in 0..<1600 { lines.take(Array("\(n) ".utf8) + filler) }
    let early = passed.withLock { $0.count }
    #expect(early > 900 && early < 1024)
    lines.take(Array("the last word".utf8))
    #expect(passed.withLock { $0.count } == early)
    lines.finish()
    let all = passed.withLock { $0 }
    let marker = String(decoding: all[early], as: UTF8.self)
    #expect(marker.hasPrefix("… more than 64 MiB: ") && marker.contains("bytes are not logged"))
    #expect(all.last == Array("the last word".utf8))
    // a whole line, and one of the last ones
    let first = try? #require(all[early + 1].split(separator: 0x20).first).reduce(0) { $0 * 10 + Int($1 - 0x30) }
    #expect(first.map { $0 > 1580 } == true)
    lines.finish()
    #expect(passed.withLock { $0.count } == all.count)
  }

  @Test func `P04: empty lines cost room in the log too`() {
    let count = Mutex(0)
    let lines = LineCollector(mask: SecretMask(values: [])) { _ in count.withLock { $0 += 1 } }
    for _ in 0..<1_000_000 { lines.take([]) }
    #expect(count.withLock { $0 } < 500_000)
  }

  @Test func `what is short of the limit is passed on whole and at once`() {
    let passed = Mutex<[String]>([])
    let lines = LineCollector(mask: SecretMask(values: [])) { line in
      passed.withLock { $0.append(String(decoding: line, as: UTF8.self)) }
    }
    for word in ["one", "", "three"] { lines.take(Array(word.utf8)) }
    #expect(passed.withLock { $0 } == ["one", "", "three"])
    lines.finish()
    #expect(passed.withLock { $0.count } == 3)
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
