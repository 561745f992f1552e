import Core
import Glibc

extension Directory {
  /// What the filesystem of this directory still takes.
  func room() throws -> Room {
    var status = statvfs()
    guard fstatvfs(fd, &status) == 0 else { throw HostError.failed("ask for the free space of", path) }
    return Room(
      freeBytes: Int(clamping: status.f_bavail) * Int(clamping: status.f_frsize),
      freeFiles: status.f_files == 0 ? nil : Int(clamping: status.f_favail),
      isReadOnly: status.f_flag & UInt(ST_RDONLY) != 0)
  }
}
