package import Core
import Glibc

/// Who has a file open for writing, as far as /proc tells: proc(5), `fd/` and `fdinfo/`.
package enum OpenWriters {
  package struct Writer: Sendable, Equatable {
    package var pid: Int32
    /// The name of the program, `comm`; may hold anything.
    package var program: String
  }

  /// By device and inode; processes of other users are not seen except by root.
  package static func of(_ samples: [FileSample]) -> [FileSample: [Writer]] {
    let wanted = Dictionary(samples.map { (Identity($0), $0) }) { first, _ in first }
    var found: [FileSample: [Writer]] = [:]
    if wanted.isEmpty { return found }
    ProcessList.forEach { pid in
      for identity in opened(by: pid, among: wanted) {
        guard let sample = wanted[identity] else { continue }
        found[sample, default: []].append(Writer(pid: pid, program: ProcessFigures(process: pid).program ?? ""))
      }
    }
    return found
  }

  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ sample: FileSample) { (device, inode) = (sample.device, sample.inode) }
    init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
  }

  private static func opened(by pid: Int32, among wanted: [Identity: FileSample]) -> Set<Identity> {
    var found: Set<Identity> = []
    ProcessList.forEachDescriptor(of: pid) { descriptor, status in
      let identity = Identity(status)
      if wanted[identity] != nil, isForWriting(pid, descriptor) { found.insert(identity) }
    }
    return found
  }

  /// `flags:` of fdinfo, octal; its last two bits are the access mode.
  private static func isForWriting(_ pid: Int32, _ descriptor: String) -> Bool {
    let lines = text("/proc/\(pid)/fdinfo/\(descriptor)").split(separator: "\n")
    guard let flags = lines.first(where: { $0.hasPrefix("flags:") })?.dropFirst(6) else { return false }
    return (Int(flags.filter { $0.isNumber }, radix: 8) ?? 0) & 0o3 != 0
  }

  private static func text(_ path: String) -> String {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { return "" }
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let got = read(fd, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, got)), as: UTF8.self)
  }
}
