/// The reply to a call that was given several items: `{"items":[{"id":…,"status":…,"data":{}},…]}`.
package enum BatchReply {
  /// The reply to each of the items asked about, in their order.
  ///
  /// A reply without `items`, an empty one too, is meant for each of them.
  /// - Throws: `BadReply` where it cannot be used at all; an item it has no word on has a `BadReply` of its own.
  package static func read(
    _ bytes: [UInt8], of ids: [String]
  ) throws(BadReply) -> [Result<StageReply, BadReply>] {
    guard let object = try ReplyText.object(bytes), object["items"] != nil else {
      let one = try StageReply(parsing: bytes)
      return ids.map { _ in .success(one) }
    }
    var replies: [String: Result<StageReply, BadReply>] = [:]
    for (place, entry) in try ReplyReader(object: object).list("items").enumerated() {
      guard case .object(let members) = entry, let id = id(members["id"]) else {
        throw BadReply("`items[\(place)]` needs the `id` of its item")
      }
      guard ids.contains(id) else {
        throw BadReply("`items[\(place)]` is about `\(Display.brief(id))`, an item it was not given")
      }
      guard replies[id] == nil else { throw BadReply("`items` has two replies for `\(Display.brief(id))`") }
      do { replies[id] = .success(try StageReply(object: members)) } catch { replies[id] = .failure(error) }
    }
    return ids.map { replies[$0] ?? .failure(BadReply("the reply has no word on this item")) }
  }

  private static func id(_ value: JSON?) -> String? {
    if case .integer(let whole)? = value { return "\(whole)" }
    return value?.string
  }
}
