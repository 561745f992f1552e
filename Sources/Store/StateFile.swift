import Foundation
import GRDB

/// The file of the state: made whole, private to its owner, never a link.
struct StateFile {
  let path: String

  /// Makes the database where there is none, and refuses one that cannot be trusted.
  ///
  /// A new one is made under another name and renamed when its schema is in it, so that an empty `state.db` is
  /// never one of ours.
  func prepare(_ schema: Schema) throws {
    guard let status = try status() else {
      try requireNew()
      return try create(schema)
    }
    try requireOwnFile(status)
    if status.st_mode & 0o077 != 0, chmod(path, 0o600) != 0 { throw failure("cannot be made private") }
  }

  /// What lstat(2) says of it; `nil` where there is none.
  func status() throws -> stat? {
    var status = stat()
    if lstat(path, &status) == 0 { return status }
    guard errno == ENOENT else { throw failure("cannot be looked at") }
    return nil
  }

  /// Device and inode; `nil` where there is none.
  func identity() throws -> [UInt64]? { try status().map { [UInt64($0.st_dev), UInt64($0.st_ino)] } }

  /// The database and what SQLite keeps beside it, https://www.sqlite.org/walformat.html, as far as they are there.
  func inUse() throws -> [(file: StateFile, identity: [UInt64])] {
    try ["", "-wal", "-shm"].compactMap { suffix in
      let file = StateFile(path: path + suffix)
      return try file.identity().map { (file, $0) }
    }
  }

  /// In bytes; `nil` where there is none.
  func size() -> Int? { (try? status()).map { Int($0.st_size) } }

  /// Refuses links and whatever else is not a regular file.
  func requireRegular(_ status: stat) throws {
    switch status.st_mode & S_IFMT {
    case S_IFREG: return
    case S_IFLNK: throw StoreError.unsafeFile(path: path, detail: "it is a symbolic link")
    default: throw StoreError.unsafeFile(path: path, detail: "it is not a regular file")
    }
  }

  private func requireOwnFile(_ status: stat) throws {
    try requireRegular(status)
    guard status.st_uid == geteuid() else {
      let detail = "it belongs to user \(status.st_uid), and this is user \(geteuid())"
      throw StoreError.unsafeFile(path: path, detail: detail)
    }
  }

  /// Refuses where there once was a database: an empty memory beside old work would do all of it again.
  func requireNew() throws {
    for companion in ["-wal", "-shm"] where access(path + companion, F_OK) == 0 {
      throw StoreError.gone(path: path, trace: "`\(path)\(companion)` is still there")
    }
    if let trace = Remedy.trace(of: path) {
      throw StoreError.gone(path: path, trace: "there are files in `\(trace)/` beside it")
    }
  }

  private func create(_ schema: Schema) throws {
    let fresh = path + ".new"
    for leftover in ["", "-journal", "-wal", "-shm"] { unlink(fresh + leftover) }
    let descriptor = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("cannot be made") }
    let isPrivate = fchmod(descriptor, 0o600) == 0
    close(descriptor)
    guard isPrivate else { throw failure("cannot be made private") }
    let queue = try Connection.creating(fresh)
    try schema.migrate(queue)
    // before it has its name: a crash within the change would leave a database that nobody may only read
    try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
    try queue.close()
    // kept for good, once in a workspace's life: to dispose of its queue would wake libdispatch's pool, whose monitor
    // then wakes once a second for as long as the agent lives
    _ = Unmanaged.passRetained(queue)
    guard rename(fresh, path) == 0 else { throw failure("cannot be renamed from `\(fresh)`") }
    try syncDirectory()
  }

  /// Makes the name of the file durable.
  func syncDirectory() throws {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("its directory cannot be opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("its directory cannot be made durable") }
  }

  private func failure(_ what: String) -> StoreError {
    .broken(path: path, detail: "it \(what): \(String(cString: strerror(errno)))")
  }
}
