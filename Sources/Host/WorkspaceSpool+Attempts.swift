import CSystem
package import Core
import Glibc

extension WorkspaceSpool {
  /// `train.2`: no stage has a dot in its name, so it never meets the published `train`.
  func directoryName(_ stage: String, _ n: Int) -> String { "\(stage).\(n)" }

  package func runPath(_ run: RunID) throws -> String { try ownDirectory(of: run).path }

  package func openAttempt(_ run: RunID, stage: String, n: Int) throws -> String {
    let own = try ownDirectory(of: run)
    let name = directoryName(stage, n)
    try own.removeTree(FileName(name))
    if !spares.take(into: own, as: name) { _ = try own.directory(name, making: true) }
    try Failpoint.attemptOpened.hit()
    return own.path + "/" + name
  }

  package func foresee(_ most: Int) { spares.refill(most) }

  /// `runs/<run>/`, made where it is missing.
  private func ownDirectory(of run: RunID) throws -> Directory {
    do { return try runs.directory(run.text) } catch let trouble as HostError where trouble.code == ENOENT {
      _ = spares.take(into: runs, as: run.text)
      return try runs.directory(run.text, making: true)
    }
  }

  package func exitRecordPath(_ run: RunID, stage: String, n: Int) -> String {
    "\(runs.path)/\(run.text)/\(directoryName(stage, n)).exit"
  }

  package func publish(
    _ outputs: [StageReply.Output], _ run: RunID, stage: String, n: Int
  ) throws -> [Artifact] {
    let own = try runs.directory(run.text)
    let attempt = try own.directory(directoryName(stage, n))
    let artifacts = try outputs.map { output in
      let file = try OpenOutput(output, in: attempt)
      defer { file.descriptor.close() }
      let fd = file.descriptor.number
      guard fsync(fd) == 0 else { throw HostError.failed("fsync", output.path) }
      let digest = try files.digest(of: fd, path: output.path)
      return Artifact(
        stage: stage, name: output.name, path: stage + "/" + output.path, bytes: file.bytes, sha256: digest)
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

  package func path(of artifact: Artifact, run: RunID) -> String {
    "\(runs.path)/\(run.text)/\(artifact.path)"
  }
}
