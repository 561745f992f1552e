/// The directory drops arrive in.
package protocol Inbox: Sendable {
  /// Every name, in no order.
  /// - Throws: `HostError` where the directory cannot be read.
  func names() throws -> any NameStream

  /// Looks without opening what is not a regular file.
  /// - Throws: `HostError` only where the inbox itself is the trouble.
  func look(at name: FileName) throws -> Sighting

  /// Whether nothing can be moved out of it now: its filesystem is mounted read-only.
  func isReadOnly() throws -> Bool
}

extension Inbox {
  /// Calls `body` with every name, in no order, without holding them all.
  package func forEachName(_ body: (FileName) -> Void) throws {
    let stream = try names()
    while true {
      let names = try stream.next(1024)
      if names.isEmpty { return }
      names.forEach(body)
    }
  }
}

/// Names of a directory, read in portions, so that a million take no more memory than a thousand.
package protocol NameStream: Sendable {
  /// Up to `limit` names; none at the end.
  func next(_ limit: Int) throws -> [FileName]
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
}
