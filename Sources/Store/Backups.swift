import Core
import Foundation

/// Whole copies of the database in `backups/` beside it, private to their owner.
struct Backups {
  enum Occasion {
    /// Before a newer version changes the schema.
    case upgrade(to: String)
    /// Because the settings say so.
    case regular

    fileprivate var suffix: String {
      switch self {
      case .upgrade(let name): "-before-\(name).db"
      case .regular: ".db"
      }
    }
  }

  /// Of the database.
  let path: String

  var directory: String { ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent("backups") }

  private static let stamp = Date.ISO8601FormatStyle(
    dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted, timeZone: .gmt)

  /// Examines the database, copies it as it is at one moment, and makes the copy durable before it gets its name.
  /// - Parameter keep: how many of this occasion stay, the newest.
  /// - Returns: the path of the copy.
  /// - Throws: `StoreError.corrupt` where the database is damaged: then no backup takes an older one's place.
  @discardableResult
  func make(_ occasion: Occasion, now: Date, keep: Int) throws -> String {
    try Glance.examine(path)
    if mkdir(directory, 0o700) != 0, errno != EEXIST { throw failure("cannot be made", directory) }
    let target = "\(directory)/state-\(now.formatted(Self.stamp))\(occasion.suffix)"
    let fresh = directory + "/.new"
    for leftover in ["", "-journal", "-wal"] { unlink(fresh + leftover) }
    let file = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw failure("cannot be made", fresh) }
    defer { close(file) }
    do {
      _ = try BriefConnection(path: path).rows("VACUUM INTO ?", [fresh])
    } catch {
      unlink(fresh)
      throw error
    }
    guard fsync(file) == 0, rename(fresh, target) == 0 else { throw failure("cannot be made durable", target) }
    try StateFile(path: target).syncDirectory()
    for old in names(occasion).dropLast(max(1, keep)) { unlink(directory + "/" + old) }
    return target
  }

  /// The path of the newest, of whatever occasion.
  var newest: String? { all.max().map { directory + "/" + $0 } }

  /// When the newest regular one was made.
  var lastRegular: Date? {
    names(.regular).last.flatMap { try? Self.stamp.parse(String($0.dropFirst(6).dropLast(3))) }
  }

  private var all: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasPrefix("state-") && $0.hasSuffix(".db") }
  }

  /// Of one occasion, the oldest first.
  private func names(_ occasion: Occasion) -> [String] {
    all.filter { name in
      switch occasion {
      case .upgrade: name.contains("-before-")
      case .regular: !name.contains("-before-")
      }
    }.sorted()
  }

  private func failure(_ what: String, _ path: String) -> StoreError {
    let words = String(cString: strerror(errno)).lowercased()
    return errno == ENOSPC || errno == EDQUOT
      ? .busy(path: self.path, detail: "the backup `\(path)` \(what): \(words)")
      : .broken(path: self.path, detail: "the backup `\(path)` \(what): \(words)")
  }
}
