import Glibc

/// Reads the lines of a growing file as they come, and goes on with the new file after it was rotated.
package final class LogTail {
  private let path: String
  private let fromEnd: Int?
  private var fd: Int32 = -1
  private var rest: [UInt8] = []
  private var skipsFirst = false

  /// - Parameters:
  ///   - path: need not be there yet.
  ///   - fromEnd: begins with the lines in this many last bytes; `nil` with the first.
  package init(path: String, fromEnd: Int? = nil) {
    self.path = path
    self.fromEnd = fromEnd
  }

  deinit { if fd >= 0 { close(fd) } }

  /// Whole lines since the last call, without their newlines; empty where there is nothing new.
  package func lines() -> [[UInt8]] {
    if fd < 0, !openFile(isFirst: true) { return [] }
    var lines = read()
    if isRotated {
      // what came between the read and the look
      lines += read()
      close(fd)
      fd = -1
      rest = []
      if openFile(isFirst: false) { lines += read() }
    }
    return lines
  }

  private func openFile(isFirst: Bool) -> Bool {
    fd = RegularFile.open(path, O_RDONLY | O_NOFOLLOW)
    guard fd >= 0 else { return false }
    if isFirst, let fromEnd {
      let size = Int(lseek(fd, 0, SEEK_END))
      lseek(fd, max(0, size - fromEnd), SEEK_SET)
      skipsFirst = size > fromEnd
    }
    return true
  }

  private var isRotated: Bool {
    var (named, opened) = (stat(), stat())
    guard lstat(path, &named) == 0, fstat(fd, &opened) == 0 else { return false }
    return named.st_ino != opened.st_ino || named.st_dev != opened.st_dev
  }

  private func read() -> [[UInt8]] {
    var buffer = [UInt8](repeating: 0, count: 256 << 10)
    while true {
      let got = Glibc.read(fd, &buffer, buffer.count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { break }
      rest += buffer[..<got]
    }
    guard let end = rest.lastIndex(of: 0x0A) else { return [] }
    var lines = rest[..<end].split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
    rest = Array(rest[(end + 1)...])
    if skipsFirst {
      lines.removeFirst()
      skipsFirst = false
    }
    return lines
  }
}
