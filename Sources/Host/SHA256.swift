import CSystem
import Core
import Glibc

/// SHA-256 (FIPS 180-4) by OpenSSL, in lower-case hex.
package enum SHA256 {
  package static func hex(_ bytes: [UInt8]) -> String {
    var text = [CChar](repeating: 0, count: 65)
    let status = penstock_sha256(bytes, bytes.count, &text)
    precondition(status == 0, "libcrypto refuses SHA-256")
    return Self.text(text)
  }

  /// Reads an open file from its offset to its end.
  static func hex(fd: Int32, path: String) throws -> String {
    var text = [CChar](repeating: 0, count: 65)
    let status = penstock_sha256_fd(fd, &text)
    guard status == 0 else { throw HostError.failed("read", path, code: -status) }
    return Self.text(text)
  }

  /// Reads a file by its path.
  package static func hex(ofFile path: String) throws -> String {
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard fd >= 0 else { throw HostError.failed("read", path) }
    defer { close(fd) }
    return try hex(fd: fd, path: path)
  }

  static func text(_ hex: [CChar]) -> String {
    String(decoding: hex.prefix(64).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
