import Glibc

/// Cuts what a worker writes into lines, however they arrive.
struct ReplyLines {
  /// The beginning of a line whose end has not come.
  private(set) var rest: [UInt8] = []

  /// Whole lines without their newlines.
  mutating func add(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var bytes = bytes
    while let start = bytes.baseAddress, let newline = memchr(start, Int32(UInt8(ascii: "\n")), bytes.count) {
      let length = UnsafeRawPointer(newline) - start
      let end = UnsafeRawBufferPointer(rebasing: bytes[..<length])
      if rest.isEmpty {
        lines.append(Array(end))
      } else {
        rest.append(contentsOf: end)
        lines.append(rest)
        rest = []
      }
      bytes = UnsafeRawBufferPointer(rebasing: bytes[(length + 1)...])
    }
    rest.append(contentsOf: bytes)
    return lines
  }

  /// Gives up the line that has begun.
  mutating func takeRest() -> [UInt8] {
    defer { rest = [] }
    return rest
  }
}
