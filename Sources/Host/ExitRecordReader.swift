package import Core
import Foundation

extension ExitRecord {
  /// Reads the exit record at `path`; `nil` where there is none.
  ///
  /// - Throws: where it cannot be read, or is no exit record.
  package static func read(at path: String) throws -> ExitRecord? {
    try RegularFile.contents(at: path).map { try ExitRecord(parsing: Data($0)) }
  }
}
