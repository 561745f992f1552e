package import Core
import Glibc

/// Programs of this machine, and whether they are safe to run.
///
/// A program is refused where it, or a directory above it, is writable by others; sticky directories are fine, as
/// /tmp is. Writable by its group is a warning.
package struct HostPrograms: Programs {
  private let home: String
  private let searchPath: [String]
  private let digests: FileDigests
  private let surroundings = Surroundings()
  private let memory = ProgramMemory()

  /// - Parameters:
  ///   - path: the value of PATH.
  ///   - digests: remembered between calls.
  package init(home: String, path: String, digests: FileDigests = FileDigests()) {
    self.home = home
    self.digests = digests
    searchPath = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
  }

  package func hooks(of event: String) -> [ProgramFile] {
    let path = "\(home)/hooks/\(event).d"
    var status = stat()
    // nearly always there is none: asked a dozen times a stage, and words for an error cost more than the answer
    guard stat(path, &status) == 0 else { return [] }
    let found = try? memory.listing(of: path, status) { try Self.list(path, event: event) }
    return (found ?? []).map { listed in
      switch listed {
      case .unusable(let file): return file
      case .program(let path, let isBackup):
        var file = inspect(path, hashing: true)
        if isBackup { file.refusal = "looks like a backup copy; rename it or remove it" }
        return file
      }
    }
  }

  private static func list(_ path: String, event: String) throws -> [ProgramMemory.Listed] {
    var names: [FileName] = []
    try Directory(path: path).forEachName { names.append($0) }
    return names.sorted().compactMap { name in
      if name.bytes.first == UInt8(ascii: ".") || name == FileName("README.md") { return nil }
      if let text = name.text { return .program(path: "\(path)/\(text)", isBackup: isBackup(text)) }
      let shown = "hooks/\(event).d/\(name.displayed)"
      return .unusable(ProgramFile(path: shown, shown: shown, refusal: "its name is not UTF-8: rename it"))
    }
  }

  package func resolve(_ program: String, hashing: Bool) -> ProgramFile {
    if program.isEmpty { return ProgramFile(path: "", shown: "", refusal: "no program is named") }
    if program.contains("/") {
      let inner = program.hasPrefix("./") ? String(program.dropFirst(2)) : program
      return inspect(inner.hasPrefix("/") ? inner : home + "/" + inner, hashing: hashing)
    }
    for directory in searchPath where access(directory + "/" + program, X_OK) == 0 {
      var file = inspect(directory + "/" + program, hashing: hashing)
      file.shown = program
      return file
    }
    return ProgramFile(path: program, shown: program, refusal: "no such program on PATH: install it, or write its path")
  }

  private func inspect(_ path: String, hashing: Bool) -> ProgramFile {
    var status = stat()
    guard stat(path, &status) == 0 else {
      let reason = errno == ENOENT ? missing(path) : String(cString: strerror(errno))
      return ProgramFile(path: path, shown: shown(path), refusal: reason)
    }
    let sample = FileSample(status)
    var file: ProgramFile
    if let known = memory.file(path, sample, hashing: hashing) {
      file = known
    } else {
      let began = FileDigests.now()
      file = look(at: path, status, hashing: hashing)
      memory.remember(file, sample, asOf: began)
    }
    // what lies above it may change without it
    if file.refusal == nil { file.refusal = surroundings.refusal(path, status) }
    return file
  }

  private func missing(_ path: String) -> String {
    guard let target = Link.target(of: path) else { return "no such file" }
    return "it is a link to `\(target.displayed)`, which is not there"
  }

  private func shown(_ path: String) -> String {
    path.hasPrefix(home + "/") ? String(path.dropFirst(home.count + 1)) : path
  }

  private func look(at path: String, _ status: stat, hashing: Bool) -> ProgramFile {
    var file = ProgramFile(path: path, shown: shown(path))
    if status.st_mode & S_IFMT != S_IFREG {
      file.refusal = status.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is no regular file"
    } else if access(path, X_OK) != 0 {
      file.refusal = "is not executable: chmod +x it"
    } else if status.st_mode & S_IWGRP != 0 {
      file.warning = "is writable by its group"
    }
    if hashing, file.refusal == nil { file.sha256 = try? digests.digest(ofFile: path) }
    return file
  }

  /// Names that editors and package managers leave behind.
  package static func isBackup(_ name: String) -> Bool {
    name.hasSuffix("~") || name.hasPrefix("#") || name.contains(".dpkg-")
      || [".bak", ".orig", ".rej", ".swp", ".swo", ".tmp", ".rpmsave", ".rpmnew", ".disabled"].contains {
        name.hasSuffix($0)
      }
  }
}
