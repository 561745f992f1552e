import CSystem
package import Core
import Glibc

/// `var/` of a workspace: `work/`, `runs/`, `done/`, `failed/`, `quarantine/`.
package final class WorkspaceSpool: Spool {
  let inbox: Directory
  let work: Directory
  let runs: Directory
  private let destinations: [Filing.Destination: Directory]
  /// A sync of the whole filesystem beats this many single ones.
  private static let fewClaims = 4

  /// Opens the spool and makes what is missing of it, mode 0700.
  /// - Throws: `HostError` naming the directory that cannot be made or opened.
  package init(inboxPath: String, varPath: String) throws {
    inbox = try Directory(path: inboxPath)
    let root = try Directory(path: varPath)
    work = try root.directory("work", making: true)
    runs = try root.directory("runs", making: true)
    var opened: [Filing.Destination: Directory] = [:]
    for destination in Filing.Destination.allCases {
      opened[destination] = try root.directory(destination.rawValue, making: true)
    }
    destinations = opened
  }

  package var inboxDirectory: InboxDirectory { InboxDirectory(inbox) }

  // MARK: - Claiming

  package func claim(_ name: FileName, as id: RunID) throws -> ClaimOutcome {
    let own = try work.directory(id.text, making: true)
    let status = name.withCName { penstock_rename_noreplace(inbox.fd, $0, own.fd, $0) }
    switch -status {
    case 0: break
    case ENOENT:
      try discardWork(id)
      return .gone
    case EXDEV:
      try discardWork(id)
      return .otherFilesystem
    default:
      try discardWork(id)
      throw HostError.failed("claim", inbox.path + "/" + name.displayed, code: -status)
    }
    guard let sample = own.sample(of: name) else { return .gone }
    return .claimed(sample)
  }

  package func look(at name: FileName, of id: RunID) throws -> Sighting {
    try work.directory(id.text).look(at: name)
  }

  package func makeDurable(_ claims: [(id: RunID, name: FileName)]) throws {
    if claims.isEmpty { return }
    if claims.count > Self.fewClaims {
      let status = penstock_syncfs(work.fd)
      guard status == 0 else { throw HostError.failed("sync", work.path, code: -status) }
      return
    }
    for claim in claims {
      let own = try work.directory(claim.id.text)
      try own.syncFile(claim.name)
      try own.sync()
    }
    try work.sync()
    try inbox.sync()
  }

  package func copyIn(_ path: String, name: FileName, as id: RunID) throws -> FileSample {
    let source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard source >= 0 else { throw HostError.failed("read", path) }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("cannot take `\(Display.escaped(path))` as input: it is no regular file")
    }
    let own = try work.directory(id.text, making: true)
    let copy = name.withCName { openat(own.fd, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    guard copy >= 0 else { throw HostError.failed("make", own.path + "/" + name.displayed) }
    defer { close(copy) }
    let copied = penstock_copy(source, copy)
    guard copied >= 0 else { throw HostError.failed("copy", path, code: Int32(-copied)) }
    guard fsync(copy) == 0 else { throw HostError.failed("fsync", own.path) }
    try own.sync()
    try work.sync()
    guard let sample = own.sample(of: name) else { throw HostError.failed("look at", own.path) }
    return sample
  }

  package func workInProgress() throws -> [(id: RunID, names: [FileName])] {
    var ids: [RunID] = []
    try work.forEachName { name in
      if let id = name.text.flatMap({ RunID($0) }) { ids.append(id) }
    }
    return try ids.sorted().map { id in
      var names: [FileName] = []
      try work.directory(id.text).forEachName { names.append($0) }
      return (id, names)
    }
  }

  package func discardWork(_ id: RunID) throws {
    if unlinkat(work.fd, id.text, AT_REMOVEDIR) < 0, errno != ENOENT {
      throw HostError.failed("remove", work.path + "/" + id.text)
    }
  }

  // MARK: - The claimed drop

  package func digest(of name: FileName, of id: RunID) throws -> String {
    let own = try work.directory(id.text)
    let fd = name.withCName { openat(own.fd, $0, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
    guard fd >= 0 else { throw HostError.failed("read", own.path + "/" + name.displayed) }
    defer { close(fd) }
    return try SHA256.hex(fd: fd, path: own.path + "/" + name.displayed)
  }

  package func path(of name: FileName, of id: RunID) throws -> String {
    if let text = name.text { return "\(work.path)/\(id.text)/\(text)" }
    let own = try runs.directory(id.text, making: true)
    let target = Array("../../work/\(id.text)/".utf8) + name.bytes
    let made = FileName(target).withCName { symlinkat($0, own.fd, "input") }
    guard made == 0 || errno == EEXIST else { throw HostError.failed("make", own.path + "/input") }
    return own.path + "/input"
  }

  package func filedPath(_ id: RunID, _ name: FileName, _ destination: Filing.Destination) -> String {
    let base = destinations[destination]?.path ?? ""
    return "\(base)/\(id.text)/\(name.text ?? "")"
  }

  package func freeBytes() throws -> Int {
    var status = statvfs()
    guard fstatvfs(work.fd, &status) == 0 else { throw HostError.failed("ask for the free space of", work.path) }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }

  // MARK: - Filing

  package func file(_ filings: [Filing]) throws {
    var touched: Set<Filing.Destination> = []
    for filing in filings {
      guard let name = filing.name else {
        try work.removeTree(FileName(filing.id.text))
        continue
      }
      guard let target = destinations[filing.destination] else { continue }
      if filing.destination == .quarantine, let reason = filing.reason {
        try leave(reason, for: filing.id, besides: name)
      }
      let id = filing.id.text
      let status = penstock_rename_noreplace(work.fd, id, target.fd, id)
      // after a crash the move may have been made before it was recorded
      if status == -ENOENT, faccessat(target.fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 { continue }
      guard status == 0 else { throw HostError.failed("file", target.path + "/" + id, code: -status) }
      touched.insert(filing.destination)
    }
    if touched.isEmpty { return }
    for destination in touched { try destinations[destination]?.sync() }
    try work.sync()
  }

  private func leave(_ reason: String, for id: RunID, besides name: FileName) throws {
    guard let own = try? work.directory(id.text) else { return }
    let note = name == FileName("reason.json") ? "reason-of-quarantine.json" : "reason.json"
    let text = try JSON.object(["name": .string(name.displayed), "reason": .string(reason)]).line() + "\n"
    try own.write(Array(text.utf8), to: note)
  }
}
