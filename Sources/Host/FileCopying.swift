import CSystem
import Core
import Glibc

/// A file being copied, hashed on the way, its holes left holes.
///
/// The copy has the times and the mode of the source, and its owner where that may be given away.
final class FileCopying: Copying {
  private static let slice: Int64 = 8 << 20
  private let source: Int32
  private let copy: Int32
  private let sample: FileSample
  private let path: String
  private var job: OpaquePointer?

  /// - Parameters:
  ///   - source: open for reading; closed in the end.
  ///   - copy: empty, open for reading and writing; closed in the end.
  ///   - sample: the source as it was when it had settled.
  init(from source: Int32, to copy: Int32, _ sample: FileSample, path: String) throws {
    (self.source, self.copy, self.sample, self.path) = (source, copy, sample, path)
    job = penstock_copy_begin(source, copy)
    guard job != nil else { throw HostError.failed("copy", path, code: ENOMEM) }
  }

  deinit {
    if let job {
      var unused = [CChar](repeating: 0, count: 65)
      _ = penstock_copy_end(job, &unused)
    }
    close(source)
    close(copy)
  }

  func advance() throws -> CopyProgress {
    guard let job else { return .changed }
    let copied = penstock_copy_slice(job, Self.slice)
    guard copied >= 0 else { throw HostError.failed("copy", path, code: Int32(-copied)) }
    if copied == Self.slice { return .more }
    var hex = [CChar](repeating: 0, count: 65)
    self.job = nil
    let ended = penstock_copy_end(job, &hex)
    guard ended == 0 else { throw HostError.failed("copy", path, code: -ended) }
    var status = stat()
    guard fstat(source, &status) == 0 else { throw HostError.failed("look at", path) }
    // a second probe: who opened it since the first may have written what no time of the file tells yet
    if FileSample(status) != sample || penstock_lease_probe(source) == Int32(PENSTOCK_OPEN_FOR_WRITING.rawValue) {
      return .changed
    }
    try dress(like: status)
    guard fstat(copy, &status) == 0 else { throw HostError.failed("look at the copy of", path) }
    return .whole(FileSample(status), sha256: SHA256.text(hex))
  }

  private func dress(like status: stat) throws {
    if geteuid() == 0 { _ = fchown(copy, status.st_uid, status.st_gid) }
    // its owner must be able to read it, whoever that is now
    guard fchmod(copy, status.st_mode & 0o777 | 0o400) == 0 else {
      throw HostError.failed("set the mode of the copy of", path)
    }
    _ = penstock_copy_mark(source, copy, MakerMark.key)
    guard futimens(copy, [status.st_atim, status.st_mtim]) == 0 else {
      throw HostError.failed("set the times of the copy of", path)
    }
  }
}
