package import Core
import Foundation
import Glibc
import Synchronization

/// The tz database of this machine, as it is now: a file that was replaced is read anew.
///
/// Where the machine has no such files, as in small containers, the rules are those this program brings along.
package final class ZoneFiles: Zones {
  private struct Known {
    var inode: UInt64
    var modified: Int
    var rules: ZoneRules
  }

  private static let folders = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"]

  private let folders: [String]
  private let environment: [String: String]
  private let known = Mutex<[String: Known]>([:])

  /// - Parameter environment: of the agent: TZ says which zone is the machine's.
  package init(environment: [String: String], folders: [String]? = nil) {
    self.environment = environment
    self.folders = (environment["TZDIR"].map { [$0] } ?? []) + (folders ?? Self.folders)
  }

  package func rules(_ name: String?) -> ZoneRules? {
    guard let name else { return local() }
    guard Self.isName(name) else { return nil }
    for folder in folders { if let rules = read(folder + "/" + name) { return rules } }
    return name == "UTC" ? .utc : known(withoutFiles: name)
  }

  /// As tzset(3): TZ, a name or `:` and a name or a path; without it /etc/localtime.
  private func local() -> ZoneRules {
    if let asked = environment["TZ"], !asked.isEmpty {
      let name = asked.hasPrefix(":") ? String(asked.dropFirst()) : asked
      return (name.hasPrefix("/") ? read(name) : rules(name)) ?? ZoneRules(posix: name) ?? .utc
    }
    return read("/etc/localtime") ?? .utc
  }

  private static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count < 100 && !name.hasPrefix("/") && !name.contains("..")
      && name.utf8.allSatisfy {
        $0 >= 48 && $0 <= 57 || $0 | 0x20 >= 97 && $0 | 0x20 <= 122 || [43, 45, 47, 95].contains($0)
      }
  }

  private func read(_ path: String) -> ZoneRules? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size < 1 << 20 else { return nil }
    let (inode, modified) = (UInt64(status.st_ino), status.st_mtim.tv_sec)
    if let held = known.withLock({ $0[path] }), held.inode == inode, held.modified == modified { return held.rules }
    guard let bytes = FileManager.default.contents(atPath: path), let rules = ZoneRules(tzif: Array(bytes)) else {
      return nil
    }
    known.withLock { $0[path] = Known(inode: inode, modified: modified, rules: rules) }
    return rules
  }

  /// What Foundation has of its own, looked at week by week: of two changes in a week it would see none.
  private func known(withoutFiles name: String) -> ZoneRules? {
    guard folders.allSatisfy({ access($0, F_OK) != 0 }), let zone = TimeZone(identifier: name) else { return nil }
    if let held = known.withLock({ $0[name] }) { return held.rules }
    func offset(_ moment: Int) -> Int { zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment))) }
    let (first, last, week) = (946_684_800, 4_102_444_800, 7 * 86400)
    var changes: [ZoneRules.Span] = []
    var before = offset(first)
    for moment in stride(from: first + week, through: last, by: week) {
      let after = offset(moment)
      if after == before { continue }
      var (low, high) = (moment - week, moment)
      while high - low > 1 {
        let middle = (low + high) / 2
        if offset(middle) == before { low = middle } else { high = middle }
      }
      changes.append(ZoneRules.Span(start: high, offset: after))
      before = after
    }
    let rules = ZoneRules(first: offset(first), changes: changes)
    known.withLock { $0[name] = Known(inode: 0, modified: 0, rules: rules) }
    return rules
  }
}
