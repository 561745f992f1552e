import CSystem
import Glibc

/// A file in memory that nobody can change any more: what a program reads on stdin, and requests of any size.
enum MemoryFile {
  /// - Throws: `SystemError` where there is no memory or no descriptor left.
  static func holding(_ bytes: [UInt8], name: String) throws -> Descriptor {
    let file = Descriptor(
      owning: try SystemError.check(memory_file(name), "make a file in memory"))
    try bytes.withUnsafeBytes { buffer in
      var offset = 0
      while offset < buffer.count {
        let rest = UnsafeRawBufferPointer(rebasing: buffer[offset...])
        let count = pwrite(file.number, rest.baseAddress, rest.count, off_t(offset))
        if count < 0 && errno == EINTR { continue }
        offset += try SystemError.check(count, "fill a file in memory")
      }
    }
    try SystemError.check(memory_file_seal(file.number), "seal a file in memory")
    return file
  }
}
