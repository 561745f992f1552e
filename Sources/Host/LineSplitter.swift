import Glibc

/// Cuts a stream of bytes into lines.
struct LineSplitter {
  /// Longer lines are given in pieces of this size.
  let limit: Int
  private var rest: [UInt8] = []

  init(limit: Int = 64 << 10) { self.limit = limit }

  mutating func add(_ bytes: UnsafeRawBufferPointer, line: ([UInt8]) -> Void) {
    var bytes = bytes
    while let start = bytes.baseAddress, let newline = memchr(start, Int32(UInt8(ascii: "\n")), bytes.count) {
      let length = UnsafeRawPointer(newline) - start
      take(UnsafeRawBufferPointer(rebasing: bytes[..<length]), line: line)
      line(rest)
      rest.removeAll(keepingCapacity: true)
      bytes = UnsafeRawBufferPointer(rebasing: bytes[(length + 1)...])
    }
    take(bytes, line: line)
  }

  /// Gives the last line where it had no newline.
  mutating func finish(line: ([UInt8]) -> Void) {
    guard !rest.isEmpty else { return }
    line(rest)
    rest = []
  }

  private mutating func take(_ bytes: UnsafeRawBufferPointer, line: ([UInt8]) -> Void) {
    var bytes = bytes
    while rest.count + bytes.count > limit {
      let room = limit - rest.count
      rest.append(contentsOf: bytes[..<room])
      bytes = UnsafeRawBufferPointer(rebasing: bytes[room...])
      line(rest)
      rest.removeAll(keepingCapacity: true)
    }
    rest.append(contentsOf: bytes)
  }
}
