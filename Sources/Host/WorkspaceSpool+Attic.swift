package import Core
package import Foundation
import Glibc

extension WorkspaceSpool {
  package func belongings(
    in place: AtticPlace, before moment: Date, after last: RunID?, limit: Int
  ) throws -> [RunID] {
    var ids: [RunID] = []
    try directory(of: place).forEachName { name in
      guard let id = name.text.flatMap({ RunID($0) }), last.map({ $0 < id }) ?? true, id.time < moment else { return }
      ids.append(id)
      // a directory may have a million names: never more than twice the limit is held
      if ids.count >= 2 * limit { ids = Array(ids.sorted().prefix(limit)) }
    }
    return Array(ids.sorted().prefix(limit))
  }

  package func bytes(in place: AtticPlace, of run: RunID) throws -> Int {
    let root = try directory(of: place)
    guard place == .logs else { return try root.bytes(below: FileName(run.text)) }
    guard let own = try? root.directory(run.text) else { return 0 }
    return own.sample(of: Self.log)?.bytes ?? 0
  }

  package func clear(_ place: AtticPlace, of run: RunID) throws {
    let root = try directory(of: place)
    guard place == .logs else { return try root.removeTree(FileName(run.text)) }
    guard let own = try? root.directory(run.text) else { return }
    if Self.log.withCName({ unlinkat(own.fd, $0, 0) }) < 0, errno != ENOENT {
      throw HostError.failed("remove", own.path + "/" + Self.log.displayed)
    }
  }

  package func litter(logsBefore: Date?, producersBefore: Date, cache: Int?) throws -> [Litter] {
    var litter: [Litter] = []
    if let logsBefore, let logs = try? root.directory("logs") {
      // the one that is written has no more behind its name
      litter += try old(.logs, in: logs, before: logsBefore) { $0.text?.hasPrefix("agent.ndjson.") == true }
    }
    litter += try old(.inbox, in: self.place.directory, before: producersBefore) {
      $0.text?.hasPrefix(Producer.prefix) == true
    }
    if let cache, let kept = try? root.directory("cache") { litter += try excess(in: kept, over: cache) }
    return litter
  }

  package func clear(_ litter: Litter) throws {
    switch litter.kind {
    case .logs: try root.directory("logs").removeTree(litter.name)
    case .inbox: try place.directory.removeTree(litter.name)
    case .cache: try root.directory("cache").removeTree(litter.name)
    }
  }

  private static let log = FileName("log.ndjson")

  private func directory(of place: AtticPlace) throws -> Directory {
    switch place {
    case .artifacts, .logs: runs
    case .done: try filed.directory(.done)
    case .failed: try filed.directory(.failed)
    case .quarantine: try filed.directory(.quarantine)
    }
  }

  private func old(
    _ kind: Litter.Kind, in directory: Directory, before moment: Date, where isMeant: (FileName) -> Bool
  ) throws -> [Litter] {
    var found: [Litter] = []
    try directory.forEachName { name in
      guard isMeant(name), let sample = directory.sample(of: name), sample.lastChange < moment else { return }
      found.append(Litter(kind: kind, name: name, bytes: sample.bytes))
    }
    return found
  }

  private func excess(in directory: Directory, over limit: Int) throws -> [Litter] {
    var entries: [(litter: Litter, used: Date)] = []
    var names: [FileName] = []
    try directory.forEachName { names.append($0) }
    for name in names {
      guard let sample = directory.sample(of: name) else { continue }
      let litter = Litter(kind: .cache, name: name, bytes: try directory.bytes(below: name))
      entries.append((litter, sample.lastChange))
    }
    var left = entries.reduce(0) { $0 + $1.litter.bytes }
    return entries.sorted { $0.used < $1.used }.prefix { entry in
      defer { left -= entry.litter.bytes }
      return left > limit
    }.map(\.litter)
  }
}

extension FileSample {
  fileprivate var lastChange: Date { Date(timeIntervalSince1970: Double(modified) / 1e9) }
}

extension Directory {
  /// Bytes of a file, or of all files below a directory; links are counted, never followed.
  fileprivate func bytes(below name: FileName) throws -> Int {
    guard let sample = sample(of: name) else { return 0 }
    let opened = name.withCName { openat(fd, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    guard opened >= 0 else { return sample.bytes }
    let inner = Directory(fd: opened, path: path + "/" + name.displayed)
    var names: [FileName] = []
    try inner.forEachName { names.append($0) }
    return try names.reduce(0) { $0 + (try inner.bytes(below: $1)) }
  }
}
