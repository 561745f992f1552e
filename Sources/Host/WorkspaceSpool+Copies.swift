import CSystem
package import Core
import Glibc

/// Drops that come in by copy: from another filesystem, shared with another name, or not to be removed.
///
/// A copy lies in `work/.copy-<id>/` until its run may have it: without a row it is void while the source is whole,
/// unlike a claimed drop, which is the only one.
extension WorkspaceSpool {
  static let copyPrefix = ".copy-"

  static func copyName(_ id: RunID) -> String { copyPrefix + id.text }

  package func beginCopy(
    of name: FileName, _ sample: FileSample, as id: RunID, leaving reserve: Int
  ) throws -> (any Copying)? {
    try beginCopy(from: try place.directory, name, sample, as: id, leaving: reserve)
  }

  package func beginUnsharing(
    of name: FileName, _ sample: FileSample, of id: RunID, leaving reserve: Int
  ) throws -> (any Copying)? {
    try beginCopy(from: try work.directory(id.text), name, sample, as: id, leaving: reserve)
  }

  private func beginCopy(
    from directory: Directory, _ name: FileName, _ sample: FileSample, as id: RunID, leaving reserve: Int
  ) throws -> (any Copying)? {
    let path = directory.path + "/" + name.displayed
    let source = name.withCName { openat(directory.fd, $0, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
    if source < 0 {
      if errno == ENOENT || errno == ELOOP { return nil }
      throw HostError.failed("read", path)
    }
    var status = stat()
    // what it settled as, and nothing that took its name since
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG, FileSample(status) == sample else {
      close(source)
      return nil
    }
    do {
      try requireRoom(Int(status.st_blocks) * 512, path, leaving: reserve)
      try discardCopy(id)
      let own = try work.directory(Self.copyName(id), making: true)
      let copy = name.withCName { openat(own.fd, $0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
      guard copy >= 0 else { throw HostError.failed("make", own.path + "/" + name.displayed) }
      return try FileCopying(from: source, to: copy, sample, path: path)
    } catch {
      close(source)
      throw error
    }
  }

  private func requireRoom(_ bytes: Int, _ path: String, leaving reserve: Int) throws {
    let free = try room().freeBytes
    if bytes <= max(0, free - reserve) { return }
    throw HostError(
      "`\(Display.escaped(path))` must be copied: it takes \(Quantity.text(bytes: bytes)), and of the "
        + "\(Quantity.text(bytes: free)) free in `var/` \(Quantity.text(bytes: reserve)) stay in reserve")
  }

  package func finishUnsharing(of name: FileName, of id: RunID) throws {
    let copies = try work.directory(Self.copyName(id))
    let own = try work.directory(id.text)
    let renamed = name.withCName { renameat(copies.fd, $0, own.fd, $0) }
    guard renamed == 0 else { throw HostError.failed("take the copy of", own.path + "/" + name.displayed) }
    Failpoint.copyShared.pass()
    try discardCopy(id)
  }

  package func makeCopiesDurable(_ copies: [(id: RunID, name: FileName)]) throws {
    try sync(copies.map { (Self.copyName($0.id), $0.name) })
  }

  package func removeSource(_ name: FileName, _ sample: FileSample, of id: RunID) throws -> SourceRemoval {
    let inbox = try place.directory
    let aside = FileName(Self.asidePrefix + id.text)
    let shown = inbox.path + "/" + name.displayed
    let own = try asideDirectory(aside, in: inbox, for: shown)
    if own.sample(of: name) == nil {
      let moved = name.withCName { penstock_rename_noreplace(inbox.fd, $0, own.fd, $0) }
      if moved == -ENOENT {
        try inbox.removeEmpty(aside)
        return .removed
      }
      if moved < 0 {
        try inbox.removeEmpty(aside)
        throw HostError(Self.refusal(to: "remove", shown, code: -moved), code: -moved)
      }
      Failpoint.sourceAside.pass()
    }
    guard let found = own.sample(of: name) else { return .removed }
    if found.isSameContent(as: sample) {
      guard name.withCName({ unlinkat(own.fd, $0, 0) }) == 0 || errno == ENOENT else {
        throw HostError.failed("remove", shown)
      }
      Failpoint.sourceRemoved.pass()
      try inbox.removeEmpty(aside)
      return .removed
    }
    _ = try giveBack(aside)
    return .replaced
  }

  /// Where a source waits for its removal, so that whatever took its name meanwhile is not removed in its place.
  static let asidePrefix = ".penstock-"

  private func asideDirectory(_ aside: FileName, in inbox: Directory, for shown: String) throws -> Directory {
    let made = aside.withCName { mkdirat(inbox.fd, $0, 0o700) }
    guard made == 0 || errno == EEXIST, let text = aside.text else {
      throw HostError(Self.refusal(to: "remove", shown, code: errno), code: errno)
    }
    return try inbox.directory(text)
  }

  package func refusalToRemove(_ name: FileName) -> String? {
    guard let inbox = try? place.directory else { return nil }
    let shown = inbox.path + "/" + name.displayed
    if faccessat(inbox.fd, ".", W_OK | X_OK, AT_EACCESS) < 0 {
      return Self.refusal(to: "remove", shown, code: errno)
    }
    var (directory, file) = (stat(), stat())
    guard fstat(inbox.fd, &directory) == 0, directory.st_mode & S_ISVTX != 0, geteuid() != 0,
      name.withCName({ fstatat(inbox.fd, $0, &file, AT_SYMLINK_NOFOLLOW) }) == 0
    else { return nil }
    // in a sticky directory only the owner of the file or of the directory may: rename(2)
    if [file.st_uid, directory.st_uid].contains(geteuid()) { return nil }
    return Self.refusal(to: "remove", shown, code: EPERM)
  }

  /// Words for a drop that has to stay, with what a person can do.
  static func refusal(to what: String, _ path: String, code: Int32) -> String {
    let advice =
      code == EROFS
      ? "mount the inbox writable, or set `source: keep`"
      : "let user \(geteuid()) write in the inbox and own its drops, or set `source: keep`"
    return "cannot \(what) `\(Display.escaped(path))`: \(String(cString: strerror(code))); \(advice)"
  }

  package func asideOwner(_ name: FileName) -> RunID? {
    guard let text = name.text, text.hasPrefix(Self.asidePrefix) else { return nil }
    return RunID(String(text.dropFirst(Self.asidePrefix.count)))
  }

  package func giveBack(_ aside: FileName) throws -> Bool {
    let inbox = try place.directory
    guard let text = aside.text, let own = try? inbox.directory(text) else { return false }
    var names: [FileName] = []
    try own.forEachName { names.append($0) }
    var gave = false
    for name in names {
      // a name that is taken again is free again when that drop is claimed
      if name.withCName({ penstock_rename_noreplace(own.fd, $0, inbox.fd, $0) }) == 0 { gave = true }
    }
    try inbox.removeEmpty(aside)
    return gave
  }

  package func removeDoneFile(_ doneFile: FileName, of name: FileName) throws {
    let inbox = try place.directory
    if inbox.sample(of: name) != nil { return }
    guard doneFile.withCName({ unlinkat(inbox.fd, $0, 0) }) == 0 || errno == ENOENT else {
      throw HostError.failed("remove", inbox.path + "/" + doneFile.displayed)
    }
  }

  package func syncInbox() throws {
    // one that was taken away in between is synced by nobody; recovery finds the drop in one place or both
    if let inbox = try? place.directory { try inbox.sync() }
  }

  package func adoptCopies(_ ids: [RunID]) throws {
    for id in ids {
      let status = penstock_rename_noreplace(work.fd, Self.copyName(id), work.fd, id.text)
      guard status == 0 || status == -ENOENT else {
        throw HostError.failed("adopt", work.path + "/" + id.text, code: -status)
      }
    }
    try work.sync()
  }

  package func releaseTwin(of name: FileName, of id: RunID) throws {
    let inbox = try place.directory
    guard let own = try? work.directory(id.text), let claimed = own.sample(of: name), claimed.links == 2,
      let twin = inbox.sample(of: name), twin.device == claimed.device, twin.inode == claimed.inode
    else { return }
    guard name.withCName({ unlinkat(inbox.fd, $0, 0) }) == 0 else {
      throw HostError.failed("remove", inbox.path + "/" + name.displayed)
    }
  }

  package func makerMark(of name: FileName, of id: RunID) -> RunID? {
    guard let own = (try? work.directory(id.text)) ?? (try? work.directory(Self.copyName(id))) else { return nil }
    var text = [CChar](repeating: 0, count: 64)
    let status = name.withCName { penstock_get_mark(own.fd, $0, MakerMark.key, &text, 64) }
    guard status == 0 else { return nil }
    return RunID(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }
}

/// Says in an extended attribute of a drop which run put it into the inbox.
enum MakerMark {
  static let key = "user.penstock.run"
}

extension Directory {
  /// Removes a directory where nothing lies in it.
  func removeEmpty(_ name: FileName) throws {
    if name.withCName({ unlinkat(fd, $0, AT_REMOVEDIR) }) == 0 { return }
    guard [ENOENT, ENOTEMPTY, EEXIST].contains(errno) else {
      throw HostError.failed("remove", path + "/" + name.displayed)
    }
  }
}
