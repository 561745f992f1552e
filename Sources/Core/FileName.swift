import Foundation

/// The name of a file as the kernel knows it: bytes, not text.
///
/// Two names are the same only if every byte is: Swift's `String` would take the NFC and the NFD form of
/// `é` for one key although they are two files.
package struct FileName: Hashable, Sendable, Comparable {
  package let bytes: [UInt8]

  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  package init(_ text: String) { self.bytes = Array(text.utf8) }

  /// The name as text, `nil` where its bytes are not UTF-8.
  package var text: String? { String(validating: bytes, as: UTF8.self) }

  /// The name as a person may see it on a terminal: one line, nothing hidden, nothing obeyed.
  package var displayed: String { Display.escaped(bytes) }

  package static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension FileName: Codable {
  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(Data.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(Data(bytes))
  }
}
