import CSystem
package import Core
import Glibc

/// `var/` of a workspace: `work/`, `runs/`, `done/`, `failed/`, `quarantine/`.
package final class WorkspaceSpool: Spool {
  let place: InboxPlace
  let work: Directory
  let runs: Directory
  let root: Directory
  let spares: SpareDirectories
  /// Of everything that is published, so that it need not be read again to see that it is as it was.
  let files = FileDigests()
  let filed: FilingPlaces
  /// A sync of the whole filesystem beats this many single ones.
  private static let fewClaims = 4

  /// Opens the spool and makes what is missing of it, mode 0700.
  /// - Throws: `HostError` naming the directory that cannot be made or opened.
  package convenience init(inboxPath: String, varPath: String) throws {
    try self.init(place: InboxPlace(path: inboxPath), varPath: varPath)
  }

  init(place: InboxPlace, varPath: String) throws {
    self.place = place
    root = try Directory(path: varPath)
    work = try root.directory("work", making: true)
    runs = try root.directory("runs", making: true)
    spares = SpareDirectories(below: runs)
    filed = try FilingPlaces(below: root)
  }

  package var digests: any Digests { files }

  package var inboxDirectory: InboxDirectory { InboxDirectory(place) }

  // MARK: - Claiming

  package func claim(_ name: FileName, as id: RunID) throws -> ClaimOutcome {
    let own = try work.directory(id.text, making: true)
    try Failpoint.claimMade.hit()
    let inbox = try place.directory
    let status = name.withCName { penstock_rename_noreplace(inbox.fd, $0, own.fd, $0) }
    switch -status {
    case 0: break
    case ENOENT:
      try discardWork(id)
      return .gone
    case EXDEV:
      try discardWork(id)
      return .otherFilesystem
    case EBUSY:
      try discardWork(id)
      return .refused("something is mounted over it: it can be claimed once that is unmounted")
    case EACCES, EPERM, EROFS:
      try discardWork(id)
      return .refused(Self.refusal(to: "claim", inbox.path + "/" + name.displayed, code: -status))
    default:
      try discardWork(id)
      throw HostError.failed("claim", inbox.path + "/" + name.displayed, code: -status)
    }
    Failpoint.claimRenamed.pass()
    guard let sample = own.sample(of: name) else { return .gone }
    return .claimed(sample)
  }

  package func look(at name: FileName, of id: RunID) throws -> Sighting {
    try work.directory(id.text).look(at: name)
  }

  package func sample(of name: FileName, of id: RunID) throws -> FileSample? {
    do { return try work.directory(id.text).sample(of: name) } catch let trouble as HostError {
      if trouble.code == ENOENT { return nil }
      throw trouble
    }
  }

  package func makeDurable(_ claims: [(id: RunID, name: FileName)]) throws {
    if claims.isEmpty { return }
    try Failpoint.claimSynced.hit()
    try sync(claims.map { ($0.id.text, $0.name) })
    // one sync of the filesystem has met the inbox too
    if claims.count <= Self.fewClaims { try syncInbox() }
  }

  /// Syncs files of `work/`, the directories they lie in, and `work/`.
  func sync(_ files: [(directory: String, name: FileName)]) throws {
    if files.isEmpty { return }
    if files.count > Self.fewClaims {
      let status = penstock_syncfs(work.fd)
      guard status == 0 else { throw HostError.failed("sync", work.path, code: -status) }
      return
    }
    for file in files {
      let own = try work.directory(file.directory)
      try own.syncFile(file.name)
      try own.sync()
    }
    try work.sync()
  }

  package func copyIn(_ path: FileName, name: FileName, as id: RunID) throws -> FileSample {
    let source = path.withCName { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard source >= 0 else { throw HostError.failed("read", path) }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("cannot take `\(path.displayed)` as input: it is no regular file")
    }
    return try copyIn(source, path: path, name: name, as: id)
  }

  /// - Parameter path: of the source, for words.
  func copyIn(_ source: Int32, path: FileName, name: FileName, as id: RunID) throws -> FileSample {
    let own = try work.directory(Self.copyName(id), making: true)
    let copy = name.withCName { openat(own.fd, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    guard copy >= 0 else { throw HostError.failed("make", own.path + "/" + name.displayed) }
    defer { close(copy) }
    try Failpoint.copyMade.hit()
    let copied = penstock_copy(source, copy)
    guard copied >= 0 else { throw HostError.failed("copy", path, code: Int32(-copied)) }
    guard fsync(copy) == 0 else { throw HostError.failed("fsync", own.path) }
    try own.sync()
    try work.sync()
    try Failpoint.copySynced.hit()
    guard let sample = own.sample(of: name) else { throw HostError.failed("look at", own.path) }
    return sample
  }

  /// No stage has a dot in its name, so it never meets what a stage published.
  private static let alias = "drop.input"

  package func adoptCopy(_ id: RunID) throws {
    try Failpoint.copyAdopted.hit()
    try adoptCopies([id])
  }

  package func copiesInProgress() throws -> [RunID] {
    var ids: [RunID] = []
    try work.forEachName { name in
      guard let text = name.text, text.hasPrefix(Self.copyPrefix) else { return }
      if let id = RunID(String(text.dropFirst(Self.copyPrefix.count))) { ids.append(id) }
    }
    return ids
  }

  package func discardCopy(_ id: RunID) throws {
    Failpoint.copyDiscarded.pass()
    try work.removeTree(FileName(Self.copyName(id)))
  }

  package func workInProgress() throws -> [(id: RunID, names: [FileName])] {
    var ids: [RunID] = []
    try work.forEachName { name in
      if let id = name.text.flatMap({ RunID($0) }) { ids.append(id) }
    }
    // what is no directory is nobody's claim: a program put it there, and it must not keep the agent from starting
    return ids.sorted().compactMap { id in
      var names: [FileName] = []
      guard let own = try? work.directory(id.text), (try? own.forEachName { names.append($0) }) != nil else {
        return nil
      }
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
    try Failpoint.digestMade.hit()
    return try SHA256.hex(fd: fd, path: own.path + "/" + name.displayed)
  }

  package func path(of name: FileName, of id: RunID) throws -> String {
    try path(to: name, in: work.path, of: id, for: id)
  }

  package func path(ofDone name: FileName, of id: RunID, for run: RunID) throws -> String {
    try path(to: name, in: filed.path(of: .done), of: id, for: run)
  }

  /// A name that is not UTF-8 cannot stand in JSON: such a file gets an alias beside what its run leaves.
  private func path(to name: FileName, in place: String, of id: RunID, for run: RunID) throws -> String {
    if let text = name.text { return "\(place)/\(id.text)/\(text)" }
    let own = try runs.directory(run.text, making: true)
    let target = Array("\(place)/\(id.text)/".utf8) + name.bytes
    var known = [CChar](repeating: 0, count: target.count + 1)
    let length = readlinkat(own.fd, Self.alias, &known, known.count)
    // a run's own alias leads to where its drop lay while it was worked
    if length >= 0, known.prefix(length).map(UInt8.init(bitPattern:)) != target {
      unlinkat(own.fd, Self.alias, 0)
    }
    let made = FileName(target).withCName { symlinkat($0, own.fd, Self.alias) }
    guard made == 0 || errno == EEXIST else { throw HostError.failed("make", own.path + "/" + Self.alias) }
    return own.path + "/" + Self.alias
  }

  package func bytes(at path: String) -> Int? { RegularFile.bytes(at: path) }

  package func room() throws -> Room { try work.room() }
}
