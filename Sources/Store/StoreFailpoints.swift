import Core
import GRDB

#if FAILPOINTS
  import Glibc
#endif

extension Failpoint {
  /// Fails as SQLite does: where the disk does not do what it is asked, or is full.
  func hitStore() throws {
    #if FAILPOINTS
      try hit { DatabaseError(resultCode: $0 == ENOSPC ? .SQLITE_FULL : .SQLITE_IOERR) }
    #endif
  }
}
