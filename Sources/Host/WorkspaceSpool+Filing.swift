import CSystem
package import Core
import Glibc

extension WorkspaceSpool {
  package func file(_ filings: [Filing]) throws -> FilingReport {
    var move = FilingMove(work: work, places: filed)
    var report = FilingReport()
    for filing in filings {
      do {
        if filing.destination == .quarantine, let name = filing.name, let reason = filing.reason {
          try leave(reason, for: filing.id, besides: name)
        }
        if try !move.make(filing) { report.missing.append(filing) }
      } catch let trouble as HostError {
        report.troubled.append((filing, trouble.description))
      }
    }
    try Failpoint.filingSynced.hit()
    try move.sync()
    return report
  }

  package func filedPlace(of id: RunID) throws -> Filing.Destination? {
    try Filing.Destination.allCases.first { destination in
      faccessat(try filed.directory(destination).fd, id.text, F_OK, AT_SYMLINK_NOFOLLOW) == 0
    }
  }

  private func leave(_ reason: String, for id: RunID, besides name: FileName) throws {
    guard let own = try? work.directory(id.text) else { return }
    let note = name == FileName("reason.json") ? "reason-of-quarantine.json" : "reason.json"
    let text = try JSON.object(["name": .string(name.displayed), "reason": .string(reason)]).line() + "\n"
    try own.write(Array(text.utf8), to: note)
    try Failpoint.quarantineNoted.hit()
  }
}

/// One group of drops on their way out of `work/`, synced together.
private struct FilingMove {
  let work: Directory
  let places: FilingPlaces
  /// As they were found for this group.
  private var found: [Filing.Destination: Directory] = [:]
  private var touched: [Directory] = []

  init(work: Directory, places: FilingPlaces) {
    self.work = work
    self.places = places
  }

  /// - Returns: false where the drop is nowhere.
  mutating func make(_ filing: Filing) throws -> Bool {
    let id = filing.id.text
    guard filing.name != nil else {
      try work.removeTree(FileName(id))
      return true
    }
    // a second time where somebody has cleared the directory away in this moment, name and all
    for isLast in [false, true] {
      let target = try place(filing.destination)
      let status = penstock_rename_noreplace(work.fd, id, target.fd, id)
      guard status == 0 || status == -ENOENT else {
        throw HostError.failed("file", target.path + "/" + id, code: -status)
      }
      if status == 0 { Failpoint.filingRenamed.pass() }
      // after a crash the move may have been made before it was recorded, and before it was synced
      if status == 0 || faccessat(target.fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 {
        touch(target)
        return true
      }
      guard faccessat(work.fd, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0 else { return false }
      if isLast { throw HostError.failed("file", target.path + "/" + id, code: -status) }
      found[filing.destination] = nil
    }
    return false
  }

  func sync() throws {
    for directory in touched { try directory.sync() }
    try places.sync()
    if !touched.isEmpty { try work.sync() }
  }

  private mutating func place(_ destination: Filing.Destination) throws -> Directory {
    if let known = found[destination] { return known }
    let directory = try places.directory(destination)
    found[destination] = directory
    return directory
  }

  private mutating func touch(_ directory: Directory) {
    if !touched.contains(where: { $0 === directory }) { touched.append(directory) }
  }
}
