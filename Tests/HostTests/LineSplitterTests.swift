@testable import Host
import Testing

@Suite struct LineSplitterTests {
  private func split(_ text: String, in chunk: Int, limit: Int) -> [String] {
    var splitter = LineSplitter(limit: limit)
    var lines: [String] = []
    let take: ([UInt8]) -> Void = { lines.append(String(decoding: $0, as: UTF8.self)) }
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      bytes[start..<min(start + chunk, bytes.count)].withUnsafeBytes { splitter.add($0, line: take) }
    }
    splitter.finish(line: take)
    return lines
  }

  @Test(arguments: 1...12) func `lines are the same in whatever pieces they come`(chunk: Int) {
    #expect(split("one\n\ntwo\nend", in: chunk, limit: 100) == ["one", "", "two", "end"])
    #expect(split("one\n", in: chunk, limit: 100) == ["one"])
    #expect(split("", in: chunk, limit: 100) == [])
    #expect(split("\n", in: chunk, limit: 100) == [""])
  }

  @Test(arguments: 1...12) func `a line over the limit comes in pieces, one of the limit whole`(chunk: Int) {
    #expect(split("1234\n5", in: chunk, limit: 4) == ["1234", "5"])
    #expect(split("12345\n6", in: chunk, limit: 4) == ["1234", "5", "6"])
    #expect(split("123456789", in: chunk, limit: 4) == ["1234", "5678", "9"])
  }
}
