package import Foundation

/// Whether the clock that stamps the files of the inbox goes ahead of this machine's.
package enum ClockSkew {
  /// - Parameter changed: ctime of a file that just changed, nanoseconds since 1970; nobody can set it.
  /// - Returns: what to tell a person; `nil` where the clocks agree, as far as one file tells.
  package static func words(changed: Int64, now: Date) -> String? {
    let ahead = Double(changed) / 1_000_000_000 - now.timeIntervalSince1970
    guard ahead > 60 else { return nil }
    return "files of the inbox are stamped \(Int(ahead)) s ahead of this machine's clock: set the clocks; "
      + "drops are claimed all the same, for settling goes by this machine's own time"
  }
}
