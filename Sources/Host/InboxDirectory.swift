package import Core

/// The inbox as a directory of this machine.
package struct InboxDirectory: Inbox {
  private let place: InboxPlace

  /// Opens the inbox.
  /// - Throws: `HostError` where it is missing or may not be read.
  package init(path: String) throws { place = try InboxPlace(path: path) }

  init(_ place: InboxPlace) { self.place = place }

  package func names() throws -> any NameStream { try DirectoryStream(try place.directory) }

  package func look(at name: FileName) throws -> Sighting {
    let sighting = try place.directory.look(at: name)
    // a lease of this kernel says nothing of writers on other machines
    if case .file(let sample, .closed) = sighting, place.filesystem.isRemote { return .file(sample, .unknown) }
    return sighting
  }

  package func isReadOnly() throws -> Bool { try place.directory.room().isReadOnly }
}
