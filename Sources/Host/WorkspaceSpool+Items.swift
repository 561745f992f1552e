import CSystem
package import Core
import Glibc

/// What fan-out stages read and leave, `runs/<run>/<stage>.<n>/`.
extension WorkspaceSpool {
  private static let lanes = ".lanes"
  private static let kept = "items"

  package func lines(at path: String) throws -> any LineReading { try LineFile(path: path) }

  package func countLines(at path: String) throws -> Int { try LineFile.count(path: path) }

  package func writeLines(to name: String, _ run: RunID, stage: String, n: Int) throws -> any LineWriting {
    let attempt = try attemptDirectory(run, stage: stage, n: n)
    let fd = RegularFile.open(name, in: attempt.fd, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
    guard fd >= 0 else { throw HostError.failed("write", attempt.path + "/" + name) }
    return LineDraft(fd: fd, path: attempt.path + "/" + name)
  }

  package func openLane(_ lane: Int, _ run: RunID, stage: String, n: Int) throws -> String {
    let lanes = try attemptDirectory(run, stage: stage, n: n).directory(Self.lanes, making: true)
    if spares.take(into: lanes, as: "\(lane)") { return lanes.path + "/\(lane)" }
    return try lanes.directory("\(lane)", making: true).path
  }

  package func clearLane(
    _ path: String, keeping outputs: [StageReply.Output], as index: Int, isLast: Bool
  ) throws {
    if outputs.isEmpty, !isLast { return }
    let lane = try Directory(path: path)
    if !outputs.isEmpty {
      let attempt = try Directory(path: path + "/../..")
      let kept = try attempt.directory(Self.kept, making: true)
      try kept.removeTree(FileName("\(index)"))
      let own = try kept.directory("\(index)", making: true)
      for output in outputs { try Self.move(output, from: lane, to: own) }
    }
    if !isLast { return }
    var left: [FileName] = []
    try lane.forEachName { left.append($0) }
    for name in left { try lane.removeTree(name) }
  }

  private static func move(_ output: StageReply.Output, from lane: Directory, to own: Directory) throws {
    let shown = "output `\(Display.escaped(output.name))`"
    let fd = penstock_open_beneath(lane.fd, output.path, O_RDONLY | O_NONBLOCK)
    guard fd >= 0 else {
      throw HostError("\(shown) is not there, or leaves the working directory: `\(Display.escaped(output.path))`")
    }
    close(fd)
    let name = output.path.split(separator: "/").last.map(String.init) ?? output.path
    guard renameat(lane.fd, output.path, own.fd, name) == 0 else {
      throw HostError.failed("keep \(shown) at", own.path + "/" + name)
    }
  }

  package func setLanesAside(_ run: RunID, stage: String, n: Int) throws {
    let own = try runs.directory(run.text)
    let attempt = try own.directory(directoryName(stage, n))
    guard renameat(attempt.fd, Self.lanes, own.fd, aside(stage, n)) != 0, errno != ENOENT else { return }
    try attempt.removeTree(FileName(Self.lanes))
  }

  package func removeLanes(_ run: RunID, stage: String, n: Int, areFree: Bool) {
    guard let own = try? runs.directory(run.text) else { return }
    if areFree, let lanes = try? own.directory(aside(stage, n)) {
      var names: [FileName] = []
      try? lanes.forEachName { names.append($0) }
      for name in names.compactMap(\.text) where Int(name) != nil && lanes.isEmptyDirectory(name) {
        if !spares.give(from: lanes, name) { break }
      }
    }
    try? own.removeTree(FileName(aside(stage, n)))
  }

  private func aside(_ stage: String, _ n: Int) -> String { Self.lanes + "-" + directoryName(stage, n) }

  private func attemptDirectory(_ run: RunID, stage: String, n: Int) throws -> Directory {
    try runs.directory(run.text).directory(directoryName(stage, n))
  }
}
