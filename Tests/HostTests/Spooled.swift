import Core
import Foundation
import Glibc
@testable import Host

/// An inbox and a `var/` in a temporary directory; removed at the end.
final class Spooled {
  let home: String
  let spool: WorkspaceSpool

  init() throws {
    home = "/tmp/penstock-spool-" + UUID().uuidString.prefix(13)
    for directory in ["inbox", "var", "var/logs"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    spool = try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var")
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  func path(_ name: String) -> String { home + "/" + name }

  func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
    try FileManager.default.createDirectory(
      atPath: (path(name) as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(name)))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
  }

  func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: path(name)).map { String(decoding: $0, as: UTF8.self) }
  }

  func names(_ directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(directory))) ?? []).sorted()
  }

  static func id(_ n: Int) -> RunID { RunID("01a00000-0000-7000-8000-" + String(format: "%012d", n)) ?? RunID.zero }
}

extension RunID {
  fileprivate static var zero: RunID {
    var generator = SystemRandomNumberGenerator()
    return RunID(now: Date(timeIntervalSince1970: 0), using: &generator)
  }
}
