/// From the bytes of a reply to its one object.
enum ReplyText {
  /// `nil` for an empty reply.
  static func object(_ bytes: [UInt8]) throws(BadReply) -> [String: JSON]? {
    let isBlank = bytes.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if isBlank { return nil }
    // RFC 8259, section 8.1: a writer must not add one
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw BadReply("the reply begins with a byte order mark") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw BadReply("the reply is not UTF-8") }
    let value: JSON
    do { value = try JSON(parsing: bytes) } catch let deep as JSON.TooDeep {
      throw BadReply("the reply is \(deep)")
    } catch {
      throw BadReply(
        "the reply is not one JSON object: \(error): `\(Display.brief(text))`; stdout is for the reply alone, stderr for messages"
      )
    }
    guard case .object(let members) = value else {
      throw BadReply("the reply is \(value.kind), expected one JSON object")
    }
    return members
  }
}

/// Members of a reply by the type they must have.
struct ReplyReader {
  let object: [String: JSON]

  func text(_ key: String) throws(BadReply) -> String? {
    guard let value = present(key) else { return nil }
    guard let text = value.string else { throw wrong(key, expected: "text", value) }
    return text
  }

  func choice<Choice>(_ key: String, _: Choice.Type) throws(BadReply) -> Choice?
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let text = try text(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let known = Choice.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
      throw BadReply("`\(key)` is `\(Display.brief(text))`: expected one of \(known)")
    }
    return choice
  }

  func map(_ key: String) throws(BadReply) -> [String: JSON] {
    guard let value = present(key) else { return [:] }
    guard case .object(let members) = value else { throw wrong(key, expected: "a map", value) }
    return members
  }

  func list(_ key: String) throws(BadReply) -> [JSON] {
    guard let value = present(key) else { return [] }
    guard case .array(let items) = value else { throw wrong(key, expected: "a list", value) }
    return items
  }

  private func present(_ key: String) -> JSON? {
    // not `$0 == .null ? nil : $0`: there `nil` would be a JSON null
    guard let value = object[key], value != .null else { return Optional.none }
    return value
  }

  private func wrong(_ key: String, expected: String, _ value: JSON) -> BadReply {
    BadReply("`\(key)` is \(value.kind), expected \(expected)")
  }
}
