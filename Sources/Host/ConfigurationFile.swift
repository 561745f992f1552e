package import Core
import Glibc

/// A file a person wrote, read whole and once.
package struct ConfigurationFile: Sendable {
  /// Relative to the workspace where it lies in it; what every diagnostic names.
  package var path: String
  package var bytes: [UInt8]
  /// What is odd but does not keep it from being read.
  package var warnings: [Diagnostic]

  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// Reads a regular file that nobody else may write.
  ///
  /// What is opened is what is looked at and read, wherever a link that someone swaps meanwhile may lead.
  /// - Throws: a diagnostic where it is missing, not a file, too large, someone else's, or where others than its owner
  ///   and group may write to it or to a directory above it: who can change a configuration can run programs as the
  ///   agent.
  package static func read(_ absolute: String, as path: String) throws(Diagnostic) -> ConfigurationFile {
    let mark = Mark(file: path)
    let descriptor = open(absolute, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Diagnostic(at: mark, "the file cannot be opened: \(reason(errno))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw Diagnostic(at: mark, "the file cannot be looked at: \(reason(errno))")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Diagnostic(at: mark, "this is not a file") }
    try refuseForeign(status, absolute, mark)
    try refuseWritable(status, absolute, mark)
    if let real = realPath(of: descriptor), real != absolute { try refuseWritable(status, real, mark) }
    var warnings: [Diagnostic] = []
    if status.st_mode & S_IWGRP != 0 {
      warnings.append(
        Diagnostic(.warning, at: mark, "the group may write to the file", hint: "chmod g-w \(Display.escaped(path))"))
    }
    return ConfigurationFile(path: path, bytes: try bytes(of: descriptor, mark), warnings: warnings)
  }

  /// - Throws: the first thing that makes it no YAML, with the line it is in.
  package func node() throws(Diagnostic) -> Node {
    do { return try YAMLDocument.parse(bytes, file: path) } catch {
      throw [error].quoting([path: text]).first ?? error
    }
  }

  /// At most one byte more than is allowed, so that a file that grows is not read for ever.
  private static func bytes(of descriptor: Int32, _ mark: Mark) throws(Diagnostic) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= YAMLDocument.longest {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Diagnostic(at: mark, "the file cannot be read: \(reason(errno))") }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
    }
    throw Diagnostic(at: mark, "the file is larger than \(YAMLDocument.longest) bytes (1 MiB)")
  }

  /// The owner is to be root, the agent's user, or the user whose directory it lies in, as in a mounted workspace.
  private static func refuseForeign(_ status: stat, _ absolute: String, _ mark: Mark) throws(Diagnostic) {
    var above = stat()
    let directory = absolute[..<(absolute.lastIndex(of: "/") ?? absolute.startIndex)]
    let known = stat(directory.isEmpty ? "/" : String(directory), &above) == 0 ? above.st_uid : 0
    guard ![0, geteuid(), known].contains(status.st_uid) else { return }
    throw Diagnostic(
      at: mark, "the file belongs to user \(status.st_uid), who could change it any time, so it is not read",
      hint: "chown it to the user the agent runs as, \(geteuid())")
  }

  /// Where an open file lies, links resolved; `nil` where it is nowhere any more.
  private static func realPath(of descriptor: Int32) -> String? {
    Link.target(of: "/proc/self/fd/\(descriptor)").map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  private static func refuseWritable(_ status: stat, _ absolute: String, _ mark: Mark) throws(Diagnostic) {
    guard status.st_mode & S_IWOTH == 0 else {
      throw Diagnostic(
        at: mark, "everyone may write to the file, so it is not read", hint: "chmod o-w \(Display.escaped(mark.file))")
    }
    var directory = absolute[...]
    while let slash = directory.lastIndex(of: "/") {
      directory = directory[..<slash]
      let name = directory.isEmpty ? "/" : String(directory)
      var status = stat()
      guard stat(name, &status) == 0 else { continue }
      if status.st_mode & S_IWOTH != 0, status.st_mode & S_ISVTX == 0 {
        throw Diagnostic(
          at: mark, "everyone may write to the directory `\(Display.escaped(name))`, so the file is not read",
          hint: "chmod o-w on that directory")
      }
    }
  }

  package static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
}
