package import Core

/// The inbox as a directory of this machine.
package struct InboxDirectory: Inbox {
  private let directory: Directory

  /// Opens the inbox.
  /// - Throws: `HostError` where it is missing or may not be read.
  package init(path: String) throws {
    directory = try Directory(path: path)
  }

  init(_ directory: Directory) { self.directory = directory }

  package func forEachName(_ body: (FileName) -> Void) throws { try directory.forEachName(body) }

  package func look(at name: FileName) throws -> Sighting { try directory.look(at: name) }
}
