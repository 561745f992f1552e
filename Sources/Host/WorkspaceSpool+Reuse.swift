import CSystem
package import Core
import Glibc

/// What an earlier attempt left, of this run or of another.
extension WorkspaceSpool {
  static let checkpoint = "checkpoint"

  static func isInCheckpoint(_ path: String) -> Bool {
    path.split(separator: "/").first { $0 != "." } == Substring(checkpoint)
  }

  package func takeCheckpoint(_ run: RunID, stage: String, n: Int) throws -> String? {
    let own = try runs.directory(run.text)
    let attempt = try own.directory(directoryName(stage, n))
    for earlier in stride(from: n - 1, to: 0, by: -1) {
      guard let left = try? own.directory(directoryName(stage, earlier)),
        let kept = try? left.directory(Self.checkpoint)
      else { continue }
      var isEmpty = true
      try kept.forEachName { _ in isEmpty = false }
      if isEmpty { continue }
      try attempt.removeTree(FileName(Self.checkpoint))
      guard renameat(left.fd, Self.checkpoint, attempt.fd, Self.checkpoint) == 0 else {
        throw HostError.failed("move", kept.path)
      }
      return attempt.path + "/" + Self.checkpoint
    }
    return nil
  }

  package func republish(
    _ artifacts: [Artifact], of earlier: RunID, as run: RunID, stage: String, n: Int
  ) throws -> [Artifact] {
    if artifacts.isEmpty { return [] }
    let own = try runs.directory(run.text)
    // hooks may have left something in the working directory, and the program may yet be run there
    let name = directoryName(stage, n) + ".taken"
    try own.removeTree(FileName(name))
    do {
      let copies = try copy(artifacts, of: earlier, to: try own.directory(name, making: true), as: stage)
      try publish(try own.directory(name), called: name, in: own, as: stage)
      return copies
    } catch {
      try? own.removeTree(FileName(name))
      throw error
    }
  }

  private func copy(
    _ artifacts: [Artifact], of earlier: RunID, to taken: Directory, as stage: String
  ) throws -> [Artifact] {
    var copies: [Artifact] = []
    for artifact in artifacts {
      let inner = artifact.path.split(separator: "/").dropFirst().map(String.init)
      var place = taken
      for part in inner.dropLast() { place = try place.directory(part, making: true) }
      guard let name = inner.last else { throw StaleArtifact("`\(artifact.name)` has no path") }
      try copy(artifact, of: earlier, to: place, name)
      var copy = artifact
      copy.stage = stage
      copy.path = ([stage] + inner).joined(separator: "/")
      copies.append(copy)
    }
    return copies
  }

  private func copy(_ artifact: Artifact, of earlier: RunID, to place: Directory, _ name: String) throws {
    let shown = "`var/runs/\(earlier)/\(Display.escaped(artifact.path))`"
    let left: Directory
    do { left = try runs.directory(earlier.text) } catch { throw StaleArtifact("\(shown) is not there any more") }
    let source = penstock_open_beneath(left.fd, artifact.path, O_RDONLY | O_NONBLOCK)
    guard source >= 0 else {
      if [ENOENT, ENOTDIR, ELOOP, EXDEV].contains(-source) { throw StaleArtifact("\(shown) is not there any more") }
      throw HostError("cannot read \(shown): \(String(cString: strerror(-source)))", code: -source)
    }
    var status = stat()
    guard fstat(source, &status) == 0, status.st_mode & S_IFMT == S_IFREG, Int(status.st_size) == artifact.bytes else {
      close(source)
      throw StaleArtifact("\(shown) was changed since it was published: it had \(Quantity.text(bytes: artifact.bytes))")
    }
    let target = RegularFile.open(name, in: place.fd, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW)
    guard target >= 0 else {
      close(source)
      throw HostError.failed("make", place.path + "/" + name)
    }
    let synced = dup(target)
    defer { close(synced) }
    let copying = try FileCopying(from: source, to: target, FileSample(status), path: place.path + "/" + name)
    var progress = try copying.advance()
    while progress == .more { progress = try copying.advance() }
    guard case .whole(_, let sha256) = progress else { throw StaleArtifact("\(shown) is being written to") }
    guard sha256 == artifact.sha256 else {
      throw StaleArtifact(
        "\(shown) was changed since it was published: it had sha256 \(artifact.sha256.prefix(12))…, and has "
          + "\(sha256.prefix(12))…")
    }
    guard fsync(synced) == 0 else { throw HostError.failed("fsync", place.path + "/" + name) }
  }
}
