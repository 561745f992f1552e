import CSystem
package import Core
import Glibc

/// The safe producer: a drop appears in the inbox under its name whole and durable, or not at all.
package struct Producer {
  /// Of a file that is still being copied in; what is left of a killed producer is cleared away when it is old.
  static let prefix = ".put-"

  private let inbox: Directory
  private let run: RunID?

  /// - Parameter run: whose program puts, where it is one of a run: a run that feeds itself is found out by it.
  package init(inbox path: String, of run: RunID? = nil) throws {
    if let trouble = MissingDirectory.trouble(at: path) { throw trouble }
    inbox = try Directory(path: path)
    self.run = run
  }

  /// Copies a file, given by its path, or `-` for stdin, into the inbox; bytes copied.
  /// - Throws: `HostError` where the source cannot be read, the name is none, or a drop of that name is waiting there.
  package func put(_ source: FileName, as name: FileName) throws -> Int {
    if let refusal = refusal(of: name) { throw HostError("cannot put `\(name.displayed)`: \(refusal)") }
    let from = source == FileName("-") ? 0 : try open(source)
    defer { if from > 0 { close(from) } }
    let temporary = "\(Self.prefix)\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let to = openat(inbox.fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard to >= 0 else { throw HostError.failed("write into", inbox.path) }
    var isWhole = false
    defer { if !isWhole { unlinkat(inbox.fd, temporary, 0) } }
    // a filesystem that keeps no such attributes leaves it to the digest
    if let run { _ = penstock_set_mark(to, MakerMark.key, run.text) }
    let copied = try fill(to, from: from, source)
    // closed by now: the name must not appear while anyone has the file open for writing
    let renamed = name.withCName { penstock_rename_noreplace(inbox.fd, temporary, inbox.fd, $0) }
    if renamed == -EEXIST {
      throw HostError(
        "cannot put `\(name.displayed)`: a drop of that name is still waiting in the inbox; use --as for another name")
    }
    guard renamed == 0 else { throw HostError.failed("put", name.displayed, code: -renamed) }
    isWhole = true
    try inbox.sync()
    return copied
  }

  /// What root puts belongs to whom the inbox does: nobody else could read it.
  private func giveAway(_ file: Int32) throws {
    var status = stat()
    guard geteuid() == 0, fstat(inbox.fd, &status) == 0, status.st_uid != 0 else { return }
    guard fchown(file, status.st_uid, status.st_gid) == 0 else {
      throw HostError.failed("give away a file in", inbox.path)
    }
  }

  /// Opens a file, or what a shell's `<(…)` stands for.
  private func open(_ source: FileName) throws -> Int32 {
    // a named pipe would be waited for until somebody writes to it
    let file = source.withCName { Glibc.open($0, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    guard file >= 0 else { throw HostError.failed("read", source) }
    var status = stat()
    let kind = fstat(file, &status) == 0 ? status.st_mode & S_IFMT : S_IFDIR
    if kind == S_IFREG { return file }
    // a pipe without a name, `/dev/fd/63`: it has no path
    if kind == S_IFIFO, !hasPath(source), fcntl(file, F_SETFL, 0) == 0 { return file }
    close(file)
    let words =
      switch kind {
      case S_IFDIR: "it is a directory"
      case S_IFIFO: "it is a named pipe: `penstock put - --as NAME < PIPE` reads one to its end"
      default: "it is a device: `penstock put - --as NAME` reads stdin"
      }
    throw HostError("cannot put `\(source.displayed)`: \(words)")
  }

  private func hasPath(_ source: FileName) -> Bool {
    guard let resolved = source.withCName({ realpath($0, nil) }) else { return false }
    free(resolved)
    return true
  }

  private func fill(_ to: Int32, from: Int32, _ source: FileName) throws -> Int {
    defer { close(to) }
    try giveAway(to)
    let copied = penstock_copy(from, to)
    guard copied >= 0 else { throw HostError.failed("copy", source, code: Int32(-copied)) }
    guard fsync(to) == 0 else { throw HostError.failed("fsync a file in", inbox.path) }
    return Int(copied)
  }

  private func refusal(of name: FileName) -> String? {
    if name.bytes.isEmpty || name.bytes.contains(UInt8(ascii: "/")) {
      return "a name in the inbox has at least one byte and no `/`"
    }
    if name.bytes.count > 255 { return "the name is \(name.bytes.count) bytes long, and 255 are the most" }
    return CandidateName.refusal(of: name).map { "the agent passes over such names: \($0)" }
  }
}
