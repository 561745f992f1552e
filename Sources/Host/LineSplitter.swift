/// Cuts a stream of bytes into lines.
struct LineSplitter {
  /// Longer lines are given in pieces of this size.
  let limit: Int
  private var rest: [UInt8] = []

  init(limit: Int = 64 << 10) { self.limit = limit }

  mutating func add(_ bytes: UnsafeRawBufferPointer, line: ([UInt8]) -> Void) {
    var start = 0
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      take(bytes[start..<index], line: line)
      line(rest)
      rest.removeAll(keepingCapacity: true)
      start = index + 1
    }
    take(bytes[start...], line: line)
  }

  /// Gives the last line where it had no newline.
  mutating func finish(line: ([UInt8]) -> Void) {
    guard !rest.isEmpty else { return }
    line(rest)
    rest = []
  }

  private mutating func take(_ bytes: Slice<UnsafeRawBufferPointer>, line: ([UInt8]) -> Void) {
    var bytes = bytes
    while rest.count + bytes.count > limit {
      let room = limit - rest.count
      rest.append(contentsOf: bytes.prefix(room))
      bytes = bytes.dropFirst(room)
      line(rest)
      rest.removeAll(keepingCapacity: true)
    }
    rest.append(contentsOf: bytes)
  }
}
