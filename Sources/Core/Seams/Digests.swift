/// SHA-256 of files and texts, in lower-case hex.
package protocol Digests: Sendable {
  /// The digest of a file given by its absolute path; one that did not change since is not read again.
  /// - Returns: `nil` where nothing is there.
  /// - Throws: `HostError` where it is no regular file, or cannot be read.
  func digest(ofFile path: String) throws -> String?

  func digest(of bytes: [UInt8]) -> String
}
