/// What a program that is called for items reads on stdin: the envelope of its stage, whose text is made once, and
/// `item` with `id` and `data`, or `items`, a list of such where it is given several at once.
package struct ItemEnvelope: Sendable {
  /// One object up to its last member, without the brace that ends it.
  private let head: [UInt8]
  private let isBatch: Bool

  /// - Parameter envelope: without `out` and `deadline`, which are those of a call.
  package init(_ envelope: Envelope, isBatch: Bool) throws {
    head = Array(try envelope.line().dropLast(2))
    self.isBatch = isBatch
  }

  /// One line.
  /// - Parameter deadline: RFC 3339; `nil` where there is no limit.
  package func line(_ items: [Item], out: String, deadline: String?) throws -> [UInt8] {
    var text = ",\"out\":\(try JSON.string(out).line())"
    if let deadline { text += ",\"deadline\":\"\(deadline)\"" }
    var parts: [String] = []
    for item in items { parts.append("{\"id\":\(try JSON.string(item.id).line()),\"data\":\(item.data)}") }
    text += isBatch ? ",\"items\":[\(parts.joined(separator: ","))]}\n" : ",\"item\":\(parts.joined())}\n"
    return head + Array(text.utf8)
  }
}
