/// The directory drops arrive in.
package protocol Inbox: Sendable {
  /// Calls `body` with every name, in no order, without holding them all.
  /// - Throws: `HostError` where the directory cannot be read.
  func forEachName(_ body: (FileName) -> Void) throws

  /// Looks without opening what is not a regular file.
  /// - Throws: `HostError` only where the inbox itself is the trouble.
  func look(at name: FileName) throws -> Sighting
}

/// A failure of this machine, in words: what, where, why.
package struct HostError: Error, Sendable, Equatable, CustomStringConvertible {
  package let description: String
  /// errno(3); 0 where there is none.
  package let code: Int32

  package init(_ description: String, code: Int32 = 0) {
    self.description = description
    self.code = code
  }

  /// Whether the machine had no descriptor or memory left (ENOMEM, ENFILE, EMFILE of errno(3)): it may have later.
  package var isShortage: Bool { [12, 23, 24].contains(code) }
}
