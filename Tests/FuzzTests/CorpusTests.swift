import Foundation
import FuzzTargets
import Testing

/// Every input a fuzzer kept, without libFuzzer: what it once found stays found.
@Suite struct CorpusTests {
  private static let corpora = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "fuzz/corpus")

  @Test(.timeLimit(.minutes(2)), arguments: FuzzTarget.all.map(\.name))
  func `a corpus goes through its target, and so does what is a byte away from it`(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.corpora.appending(path: name), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty, "`fuzz/corpus/\(name)` is empty")
    for file in files.sorted(by: { $0.path < $1.path }) {
      let bytes = Array(try Data(contentsOf: file))
      for input in [bytes] + Self.neighbours(of: bytes) {
        #expect(throws: Never.self, "\(file.lastPathComponent), \(input.count) bytes") { try target.check(input) }
      }
    }
  }

  /// One byte less, one changed, one twice; the same ones in every run.
  private static func neighbours(of bytes: [UInt8]) -> [[UInt8]] {
    guard !bytes.isEmpty else { return [] }
    let place = bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % bytes.count
    var flipped = bytes
    flipped[place] ^= 0x20
    return [Array(bytes.dropLast()), flipped, Array(bytes[...place] + bytes[place...])]
  }
}
