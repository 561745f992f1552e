import Core
import Glibc
import Synchronization

/// Digests of files, each read once for as long as its size, times and inode stay as they are.
package final class FileDigests: Digests {
  /// More are forgotten all at once: to read some again costs less than to keep an order.
  private static let most = 4096
  /// Within this time of its last change a file may change again and show the same times: the kernel stamps files
  /// with a clock that lags by up to 10 ms.
  private static let slack: Int64 = 20_000_000

  private let known = Mutex<[FileSample: String]>([:])

  package init() {}

  package func digest(of bytes: [UInt8]) -> String { SHA256.hex(bytes) }

  package func digest(ofFile path: String) throws -> String? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw HostError.failed("read", path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("cannot read `\(Display.escaped(path))`: it is no regular file")
    }
    if let digest = known.withLock({ $0[FileSample(status)] }) { return digest }
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard fd >= 0 else { throw HostError.failed("read", path) }
    defer { close(fd) }
    return try digest(of: fd, path: path)
  }

  /// Whether a file need not be read again.
  func isRemembered(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    return known.withLock { $0[FileSample(status)] != nil }
  }

  /// Reads an open file from its offset to its end, and remembers what it has.
  func digest(of fd: Int32, path: String) throws -> String {
    var before = stat()
    guard fstat(fd, &before) == 0 else { throw HostError.failed("look at", path) }
    let began = Self.now()
    let digest = try SHA256.hex(fd: fd, path: path)
    var after = stat()
    guard fstat(fd, &after) == 0 else { throw HostError.failed("look at", path) }
    remember(digest, of: FileSample(after), asOf: FileSample(before) == FileSample(after) ? began : nil)
    return digest
  }

  /// - Parameter moment: when reading began, nanoseconds since 1970; `nil` where the file changed meanwhile.
  private func remember(_ digest: String, of sample: FileSample, asOf moment: Int64?) {
    guard let moment, Self.isSettled(sample, asOf: moment) else { return }
    known.withLock { known in
      if known.count >= Self.most { known.removeAll() }
      known[sample] = digest
    }
  }

  /// Whether a change after `moment`, nanoseconds since 1970, would show in the times of a file that were seen at it.
  static func isSettled(_ sample: FileSample, asOf moment: Int64) -> Bool {
    max(sample.changed, sample.modified) + slack < moment
  }

  static func now() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
