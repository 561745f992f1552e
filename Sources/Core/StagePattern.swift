/// A name of a stage, in which `*` stands for any text.
package struct StagePattern: Sendable, Equatable {
  private let parts: [Substring]

  package init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false) }

  package func matches(_ name: String) -> Bool {
    guard let first = parts.first, let last = parts.last, parts.count > 1 else {
      return parts.first.map { $0 == name } ?? false
    }
    guard name.utf8.count >= first.utf8.count + last.utf8.count, name.hasPrefix(first), name.hasSuffix(last) else {
      return false
    }
    // each part as early as it comes leaves the most for those behind it
    var rest = name.dropFirst(first.count).dropLast(last.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return true
  }
}
