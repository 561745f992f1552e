/// Files of items: read and written line by line, so that none is ever held whole.
package protocol ItemFiles: Sendable {
  /// Opens a file of lines by its absolute path.
  /// - Throws: `HostError`.
  func lines(at path: String) throws -> any LineReading

  /// Lines of a file that are not empty, as quickly as they can be counted.
  func countLines(at path: String) throws -> Int

  /// Makes or empties a file in the working directory of an attempt.
  func writeLines(to name: String, _ run: RunID, stage: String, n: Int) throws -> any LineWriting

  /// The working directory of a lane of an attempt, below that of the attempt: an absolute path, made where it is missing.
  func openLane(_ lane: Int, _ run: RunID, stage: String, n: Int) throws -> String

  /// Moves what an item names as its outputs from a lane to `items/<index>/`; after the last item of a call the lane is
  /// emptied.
  /// - Throws: `HostError` naming the output that is not there or outside the directory.
  func clearLane(_ path: String, keeping outputs: [StageReply.Output], as index: Int, isLast: Bool) throws

  /// Puts the working directories of all lanes of an attempt aside, so that it can be published at once.
  func setLanesAside(_ run: RunID, stage: String, n: Int) throws

  /// Removes what was put aside.
  /// - Parameter areFree: whether no process is left in them: then they may be used again.
  func removeLanes(_ run: RunID, stage: String, n: Int, areFree: Bool)
}

/// A file being read; of one reader at a time.
package protocol LineReading: AnyObject {
  /// The next line without its newline; `nil` at the end.
  /// - Throws: `HostError`, also for a line longer than `ItemLine.longest`.
  func next() throws -> [UInt8]?
}

/// A file being written; of one writer at a time.
package protocol LineWriting: AnyObject {
  /// - Parameter line: without its newline.
  func write(_ line: String) throws

  /// Writes what is still gathered, and closes the file.
  func finish() throws
}
