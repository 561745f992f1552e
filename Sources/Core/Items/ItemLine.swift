/// Reads the lines of an output as items: JSON Lines, one object a line; blank lines count and are no items.
package struct ItemLine {
  /// Bytes of a line.
  package static let longest = 1 << 20
  private static let longestID = 500

  /// Where an id was seen first; a line number is an id too.
  private var seen: [String: Int] = [:]
  /// Of the line that was read last; the first is 1.
  package private(set) var number = 0
  private var items = 0
  private let name: String

  /// - Parameter name: of the file, for words.
  package init(of name: String) { self.name = name }

  /// The next line, without its newline; `nil` for a blank one.
  ///
  /// A line that has `id` and `data` alone, as the output `items` has them, is the item that `data` is.
  /// - Throws: `BadItem`, naming the file and the line.
  package mutating func read(_ line: [UInt8]) throws(BadItem) -> Item? {
    number += 1
    if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
    let value: JSON
    do { value = try JSON(parsing: line) } catch { throw bad("is no item: expected one JSON object, \(error)") }
    guard case .object(let members) = value else {
      throw bad("is no item: it is \(value.kind), expected one JSON object")
    }
    let id = try id(members["id"])
    if let first = seen.updateValue(number, forKey: id) {
      throw bad("has the id `\(Display.brief(id))`, as line \(first) has: the id of an item must be its own")
    }
    defer { items += 1 }
    return Item(index: items, id: id, data: try data(members, line))
  }

  private func data(_ members: [String: JSON], _ line: [UInt8]) throws(BadItem) -> String {
    if members.count == 2, members["id"] != nil, case .object? = members["data"], let data = members["data"] {
      do { return try data.line() } catch { throw bad("cannot be written as JSON: \(error)") }
    }
    // as it stands, so that no number is rounded
    return String(decoding: line.trimmed, as: UTF8.self)
  }

  private func id(_ value: JSON?) throws(BadItem) -> String {
    switch value {
    case nil, .null: return "\(number)"
    case .integer(let whole): return "\(whole)"
    case .string(let text):
      guard !text.isEmpty, text.utf8.count <= Self.longestID, !text.utf8.contains(0) else {
        throw bad("has an `id` that is empty, longer than \(Self.longestID) bytes, or holds NUL")
      }
      return text
    case .some(let other): throw bad("has \(other.kind) as its `id`: expected text or a whole number")
    }
  }

  private func bad(_ what: String) -> BadItem { BadItem("\(Display.escaped(name)):\(number) \(what)") }
}

extension [UInt8] {
  /// Without the white space of JSON around it.
  fileprivate var trimmed: ArraySlice<UInt8> {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
      return []
    }
    return self[first...last]
  }
}

/// Why the items of a stage cannot be read, in words.
package struct BadItem: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
