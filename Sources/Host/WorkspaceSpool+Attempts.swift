import CSystem
package import Core
import Glibc

extension WorkspaceSpool {
  /// `train.2`: no stage has a dot in its name, so it never meets the published `train`.
  func directoryName(_ stage: String, _ n: Int) -> String { "\(stage).\(n)" }

  package func runPath(_ run: RunID) throws -> String {
    try runs.directory(run.text, making: true).path
  }

  package func openAttempt(_ run: RunID, stage: String, n: Int) throws -> String {
    let own = try runs.directory(run.text, making: true)
    let name = directoryName(stage, n)
    try own.removeTree(FileName(name))
    if renameat(own.fd, Self.foreseen, own.fd, name) < 0 { _ = try own.directory(name, making: true) }
    try Failpoint.attemptOpened.hit()
    return own.path + "/" + name
  }

  package func foreseeAttempt(_ run: RunID) {
    guard let own = try? runs.directory(run.text) else { return }
    _ = mkdirat(own.fd, Self.foreseen, 0o700)
  }

  package func forgetForeseen(_ run: RunID) {
    guard let own = try? runs.directory(run.text) else { return }
    _ = unlinkat(own.fd, Self.foreseen, AT_REMOVEDIR)
  }

  /// No stage's name begins with a dot.
  private static let foreseen = ".next"

  package func exitRecordPath(_ run: RunID, stage: String, n: Int) -> String {
    "\(runs.path)/\(run.text)/\(directoryName(stage, n)).exit"
  }

  package func publish(
    _ outputs: [StageReply.Output], _ run: RunID, stage: String, n: Int
  ) throws -> [Artifact] {
    let own = try runs.directory(run.text)
    let attempt = try own.directory(directoryName(stage, n))
    if let inside = outputs.first(where: { Self.isInCheckpoint($0.path) }) {
      throw HostError(
        "output `\(Display.escaped(inside.name))` lies in `\(Self.checkpoint)/`, which is for the next try and is never "
          + "published: leave it beside it")
    }
    var artifacts: [Artifact] = []
    for output in outputs {
      let fd = penstock_open_beneath(attempt.fd, output.path, O_RDONLY | O_NONBLOCK)
      guard fd >= 0 else { throw HostError(refusal(of: output, code: -fd), code: -fd) }
      defer { close(fd) }
      var status = stat()
      guard fstat(fd, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw HostError(
          "output `\(Display.escaped(output.name))` is no regular file: `\(Display.escaped(output.path))`")
      }
      guard fsync(fd) == 0 else { throw HostError.failed("fsync", output.path) }
      let digest = try files.digest(of: fd, path: output.path)
      artifacts.append(
        Artifact(
          stage: stage, name: output.name, path: stage + "/" + output.path, bytes: Int(status.st_size),
          sha256: digest))
    }
    try attempt.removeTree(FileName(Self.checkpoint))
    try publish(attempt, called: directoryName(stage, n), in: own, as: stage)
    return artifacts
  }

  /// Gives a directory of a run the name of its stage, durably; its files are synced already.
  func publish(_ directory: Directory, called name: String, in own: Directory, as stage: String) throws {
    try directory.sync()
    try Failpoint.publishSynced.hit()
    // what an attempt published whose outcome was never recorded is void
    try own.removeTree(FileName(stage))
    Failpoint.publishCleared.pass()
    guard renameat(own.fd, name, own.fd, stage) == 0 else {
      throw HostError.failed("publish", own.path + "/" + stage)
    }
    Failpoint.publishRenamed.pass()
    try own.sync()
    Failpoint.publishDone.pass()
  }

  private func refusal(of output: StageReply.Output, code: Int32) -> String {
    let shown = "output `\(Display.escaped(output.name))`"
    let path = "`\(Display.escaped(output.path))`"
    switch code {
    case ENOENT: return "\(shown) is not there: no file \(path) in the working directory"
    case EXDEV, ELOOP: return "\(shown) leaves the working directory: \(path)"
    default: return "\(shown) cannot be read: \(path): \(String(cString: strerror(code)))"
    }
  }

  package func path(of artifact: Artifact, run: RunID) -> String {
    "\(runs.path)/\(run.text)/\(artifact.path)"
  }
}
