import Foundation
package import Core

/// Counts the records of a file that has one a line.
package enum RecordCount {
  private static let chunk = 1 << 20

  /// Lines, without the header of a table; `nil` where the name says that records are no lines, as of parquet.
  package static func of(_ path: String, named name: FileName) -> Int? {
    let ending = name.displayed.split(separator: ".").last.map { $0.lowercased() } ?? ""
    let header = ["csv": 1, "tsv": 1, "ndjson": 0, "jsonl": 0, "txt": 0][ending]
    guard let header, let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    var lines = 0
    var last = UInt8(ascii: "\n")
    while let data = try? file.read(upToCount: Self.chunk), let end = data.last {
      lines += data.count { $0 == UInt8(ascii: "\n") }
      last = end
    }
    return max(0, lines + (last == UInt8(ascii: "\n") ? 0 : 1) - header)
  }
}
