import CSystem
package import Core
import Glibc

/// What the arms of trials read and leave, `trials/<trial>/`.
extension WorkspaceSpool {
  private static let inputs = "input"
  private static let evaluations = "work"

  private func directory(of trial: RunID) throws -> Directory {
    try root.directory("trials", making: true).directory(trial.text, making: true)
  }

  package func keepTrialInput(_ path: String, index: Int, of trial: RunID) throws -> String {
    let own = try directory(of: trial).directory(Self.inputs, making: true).directory("\(index)", making: true)
    let name = path.split(separator: "/").last.map(String.init) ?? "input"
    if own.sample(of: FileName(name)) != nil { return own.path + "/" + name }
    let source = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard source >= 0 else { throw HostError.failed("read", path) }
    defer { close(source) }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("`\(Display.escaped(path))` is no regular file: there is nothing to try arms on")
    }
    let draft = ".draft"
    let copy = RegularFile.open(draft, in: own.fd, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
    guard copy >= 0 else { throw HostError.failed("make", own.path + "/" + name) }
    defer { close(copy) }
    let copied = penstock_copy(source, copy)
    guard copied >= 0 else { throw HostError.failed("copy", path, code: Int32(-copied)) }
    guard fsync(copy) == 0, renameat(own.fd, draft, own.fd, name) == 0 else {
      throw HostError.failed("copy", path)
    }
    try own.sync()
    return own.path + "/" + name
  }

  package func openEvaluation(_ name: String, of trial: RunID) throws -> String {
    let work = try directory(of: trial).directory(Self.evaluations, making: true)
    try work.removeTree(FileName(name))
    return try work.directory(name, making: true).path
  }

  package func evaluated(
    _ outputs: [StageReply.Output], by stage: String, in path: String
  ) throws -> [Envelope.FilePart] {
    let own = try Directory(path: path)
    return try outputs.map { output in
      Envelope.FilePart(
        name: output.name, path: path + "/" + output.path, stage: stage, sha256: nil,
        bytes: try OpenOutput(output, in: own).bytes)
    }
  }

  package func removeEvaluation(_ name: String, of trial: RunID) throws {
    try directory(of: trial).directory(Self.evaluations, making: true).removeTree(FileName(name))
  }

  package func clearTrial(_ trial: RunID, inputs: Bool) throws {
    let trials = try root.directory("trials", making: true)
    if inputs { return try trials.removeTree(FileName(trial.text)) }
    try directory(of: trial).removeTree(FileName(Self.evaluations))
  }

  package func contents(at path: String, limit: Int) throws -> [UInt8] {
    let fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard fd >= 0 else { throw HostError.failed("read", path) }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw HostError("cannot read `\(Display.escaped(path))`: it is no regular file")
    }
    guard Int(status.st_size) <= limit else {
      throw HostError(
        "`\(Display.escaped(path))` has \(Quantity.text(bytes: Int(status.st_size))), and "
          + "\(Quantity.text(bytes: limit)) are the most")
    }
    return try RegularFile.rest(of: fd, path)
  }
}
