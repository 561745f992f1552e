import Core
import Glibc

/// A file of lines, read from its beginning a piece at a time.
final class LineFile: LineReading {
  private static let piece = 64 << 10

  private let fd: Int32
  private let path: String
  private var buffer = [UInt8](repeating: 0, count: LineFile.piece)
  /// What is read and not yet given.
  private var unread = 0..<0
  private var hasEnded = false

  init(path: String) throws {
    fd = RegularFile.open(path, O_RDONLY)
    guard fd >= 0 else { throw HostError.failed("read", path) }
    self.path = path
  }

  deinit { close(fd) }

  func next() throws -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      if unread.isEmpty, !hasEnded { try fill() }
      if unread.isEmpty { return line.isEmpty ? nil : line }
      if let newline = buffer[unread].firstIndex(of: 0x0A) {
        line += buffer[unread.lowerBound..<newline]
        unread = (newline + 1)..<unread.upperBound
        return line
      }
      line += buffer[unread]
      unread = unread.upperBound..<unread.upperBound
      guard line.count <= ItemLine.longest else {
        throw HostError("`\(Display.escaped(path))` has a line of more than \(Quantity.text(bytes: ItemLine.longest))")
      }
    }
  }

  private func fill() throws {
    let count = read(fd, &buffer, buffer.count)
    if count < 0, errno == EINTR { return }
    guard count >= 0 else { throw HostError.failed("read", path) }
    if count == 0 { hasEnded = true }
    unread = 0..<count
  }

  /// Lines with something in them.
  static func count(path: String) throws -> Int {
    let file = try LineFile(path: path)
    var (lines, isFilled) = (0, false)
    while true {
      try file.fill()
      if file.hasEnded { return lines + (isFilled ? 1 : 0) }
      for byte in file.buffer[file.unread] {
        if byte == 0x0A {
          lines += isFilled ? 1 : 0
          isFilled = false
        } else if byte > 0x20 {
          isFilled = true
        }
      }
    }
  }
}

/// A file of lines that is written anew, some at a time.
final class LineDraft: LineWriting {
  private static let piece = 256 << 10

  private let fd: Int32
  private let path: String
  private var gathered: [UInt8] = []

  init(fd: Int32, path: String) {
    self.fd = fd
    self.path = path
  }

  deinit { close(fd) }

  func write(_ line: String) throws {
    gathered += line.utf8
    gathered.append(0x0A)
    if gathered.count >= Self.piece { try flush() }
  }

  func finish() throws { try flush() }

  private func flush() throws {
    var written = 0
    while written < gathered.count {
      let count = gathered[written...].withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw HostError.failed("write", path) }
      written += count
    }
    gathered.removeAll(keepingCapacity: true)
  }
}
