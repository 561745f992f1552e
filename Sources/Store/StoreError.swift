package import Core
import GRDB

/// Why the state cannot be read or changed, in words.
package enum StoreError: Error, Equatable, CustomStringConvertible {
  /// There is no state yet: no agent ever worked here.
  case missing(path: String)
  /// Written by a newer Penstock than this one.
  case newer(path: String, migration: String)
  /// Written by an older Penstock and not brought up to date yet; only a reader says so.
  case older(path: String)
  /// Not a database, not ours, or damaged.
  case corrupt(path: String, detail: String)
  /// There was one, and it is not there any more.
  case gone(path: String, trace: String)
  /// The file is not one to be trusted.
  case unsafeFile(path: String, detail: String)
  /// Someone else holds the write lock, or the disk is full: later it may work.
  case busy(path: String, detail: String)
  /// A reader was stopped, for it kept the write-ahead log from being emptied.
  case slow(path: String, seconds: Int)
  /// The disk does not do what it is asked: nothing more is written by this process.
  case broken(path: String, detail: String)
  /// The change contradicts what is recorded.
  case conflict(String)
  case noRun(RunReference)
  /// More than one run begins like this.
  case ambiguous(RunReference, candidates: [Run])

  /// What it was, without what to do about the database.
  package var detail: String {
    switch self {
    case .broken(_, let detail), .busy(_, let detail): detail
    default: description
    }
  }

  /// Whether the same change may succeed later in this process.
  package var isTransient: Bool {
    switch self {
    case .busy, .slow: true
    default: false
    }
  }

  /// Whether the storage failed, not the caller: the agent stops with exit code 70.
  package var isStorageFailure: Bool {
    switch self {
    case .corrupt, .gone, .unsafeFile, .broken: true
    default: false
    }
  }

  /// Whether what was remembered is not whole any more.
  package var isDamage: Bool {
    switch self {
    case .corrupt, .gone: true
    default: false
    }
  }

  package var description: String { remedy.map { "\(trouble); \($0)" } ?? trouble }

  /// What a person can do about it, where that is a thing of its own.
  package var remedy: String? {
    switch self {
    case .corrupt(let path, _), .gone(let path, _): Remedy.words(for: path)
    default: nil
    }
  }

  /// What is wrong.
  package var trouble: String {
    switch self {
    case .missing(let path):
      "there is no state at `\(path)`: no agent has worked here yet; `penstock up` starts one"
    case .newer(let path, let migration):
      """
      `\(path)` was written by a newer penstock (it has the migration `\(migration)`, which this one does not \
      know): use that version, or restore a backup made before the upgrade from `\(Backups(path: path).directory)`
      """
    case .older(let path):
      "`\(path)` was written by an older penstock: start the agent once with this version to bring it up to date"
    case .corrupt(let path, let detail):
      "`\(path)` is damaged: \(detail)"
    case .gone(let path, let trace): "`\(path)` is gone: \(trace)"
    case .unsafeFile(let path, let detail): "`\(path)` is refused: \(detail)"
    case .busy(let path, let detail): "`\(path)` cannot be written now: \(detail)"
    case .slow(let path, let seconds):
      "reading `\(path)` was stopped after \(seconds) s, for a long reader lets its log grow: ask for less, or again"
    case .broken(let path, let detail):
      "`\(path)` cannot be relied on: \(detail); look at the disk, then start the agent again"
    case .conflict(let detail): detail
    case .noRun(.last): "there are no runs yet"
    case .noRun(let reference): "there is no run `\(reference)`; `penstock runs` lists them"
    case .ambiguous(let reference, let candidates):
      "`\(reference)` may be any of "
        + candidates.map { "run \($0.number) (`\($0.id)`)" }.joined(separator: ", ")
        + "; give more of the id, or the number"
    }
  }

  /// The same error in words, where SQLite said it in codes.
  static func wording(_ error: any Error, path: String) -> any Error {
    guard let error = error as? DatabaseError else { return error }
    let detail = error.message ?? error.resultCode.description
    switch error.resultCode {
    case .SQLITE_CORRUPT, .SQLITE_NOTADB: return StoreError.corrupt(path: path, detail: detail)
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return StoreError.busy(path: path, detail: "another program holds it locked for 5 s")
    case .SQLITE_FULL: return StoreError.busy(path: path, detail: "the disk is full")
    case .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_NOMEM:
      return StoreError.broken(path: path, detail: "\(detail) (\(error.extendedResultCode))")
    case .SQLITE_CONSTRAINT: return StoreError.conflict("the state refuses this change: \(detail)")
    default: return StoreError.conflict("the state cannot do this: \(detail) (\(error.extendedResultCode))")
    }
  }
}
