package import Foundation
import GRDB

/// How long the write-ahead log is, and whether someone keeps it from being emptied.
package struct LogState: Sendable, Equatable {
  package var bytes: Int
  /// A reader, another program's or a long one, still needs what is in it.
  package var isHeld: Bool

  package init(bytes: Int, isHeld: Bool) {
    self.bytes = bytes
    self.isHeld = isHeld
  }

  /// Bytes from which a person should know that a reader is stuck.
  package static let alarming = 256 << 20

  package var isAlarming: Bool { bytes >= Self.alarming }
}

/// What to do about the log.
enum LogTidying {
  case nothing, write, cut

  /// Over this it is cut even while there is much to do, which keeps writers waiting for a moment.
  private static let long = 64 << 20
  /// Over this it is cut when there is nothing else to do.
  private static let short = 4 << 20

  static func advised(bytes: Int, isQuiet: Bool) -> LogTidying {
    if bytes > (isQuiet ? short : long) { return .cut }
    return isQuiet && bytes > 0 ? .write : .nothing
  }
}

extension StateStore {
  /// Calls `listener` when the next change comes, once: whoever tidies sleeps until there is something to tidy.
  package func whenWritten(_ listener: @escaping @Sendable () -> Void) { changes.whenWritten(listener) }

  /// Tells `listener` what a change waits for, a lock or a full disk, and with `nil` that it waits no more.
  package func whenHindered(_ listener: @escaping @Sendable (StoreError?) -> Void) { changes.whenHindered(listener) }

  /// What a change waits for now.
  package var hindrance: StoreError? { changes.hindrance }

  /// Lets no change wait longer than this any more: for an agent that is asked to stop.
  package func hurry(within limit: Duration) { changes.hurry(within: limit) }

  /// Moves the write-ahead log into the database, and cuts it where it is long; readers are not waited for.
  /// - Parameter isQuiet: whether nothing was written for a while.
  package func tidyLog(isQuiet: Bool) async throws -> LogState {
    let log = StateFile(path: path + "-wal")
    let advice = LogTidying.advised(bytes: log.size() ?? 0, isQuiet: isQuiet)
    guard advice != .nothing else { return LogState(bytes: log.size() ?? 0, isHeld: false) }
    do {
      let isHeld = try await changes.between { database in
        try Connection.impatiently(database) {
          let (frames, written) = try database.checkpoint(.passive)
          guard written >= frames else { return true }
          if advice == .cut { try database.checkpoint(.truncate) }
          return false
        }
      }
      return LogState(bytes: log.size() ?? 0, isHeld: isHeld)
    } catch let error as StoreError where error.isTransient {
      return LogState(bytes: log.size() ?? 0, isHeld: true)
    }
  }

  /// Copies the database, examined before, into `backups/` beside it; nobody waits for it but the caller.
  /// - Returns: the path of the copy.
  @discardableResult
  package func backUp(now: Date, keep: Int) throws -> String {
    do { return try Backups(path: path).make(.regular, now: now, keep: keep) } catch {
      throw StoreError.wording(error, path: path)
    }
  }

  /// When the last regular backup was made.
  package var lastBackup: Date? { Backups(path: path).lastRegular }
}
