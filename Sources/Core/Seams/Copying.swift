/// One copy of a drop on its way, made in slices, so that nobody waits behind a large file.
package protocol Copying {
  /// Copies one slice more.
  /// - Throws: `HostError`: the copy is to be discarded, the source is as it was.
  func advance() throws -> CopyProgress
}

package enum CopyProgress: Sendable, Equatable {
  /// There is more to copy.
  case more
  /// Copied whole, not yet durable; the sample is that of the copy.
  case whole(FileSample, sha256: String)
  /// Somebody writes to the source, or it changed since it was looked at.
  case changed
}

/// What became of the source of a copy.
package enum SourceRemoval: Sendable, Equatable {
  case removed
  /// Another file lies under its name now, and is a drop of its own.
  case replaced
}
