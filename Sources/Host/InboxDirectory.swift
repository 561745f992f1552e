package import Core

/// The inbox as a directory of this machine.
package struct InboxDirectory: Inbox {
  private let place: InboxPlace

  /// Opens the inbox.
  /// - Throws: `HostError` where it is missing or may not be read.
  package init(path: String) throws { place = try InboxPlace(path: path) }

  init(_ place: InboxPlace) { self.place = place }

  package func forEachName(_ body: (FileName) -> Void) throws { try place.directory.forEachName(body) }

  package func look(at name: FileName) throws -> Sighting { try place.directory.look(at: name) }
}
