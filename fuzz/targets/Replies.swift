import Core
import Foundation

/// What a program writes on stdout, as the reply of a stage and of a hook.
enum Replies {
  static func check(_ bytes: [UInt8]) throws {
    try checkReader(bytes)
    do {
      let reply = try StageReply(parsing: bytes)
      let merged = reply.context.merging(.object(reply.metrics)).merging(reply.context)
      _ = try merged.line()
      _ = try JSON.object(reply.data).line()
      try hold(Set(reply.outputs.map(\.name)).count == reply.outputs.count, "two outputs of one name")
    } catch let error as BadReply { try readable(error) }
    do {
      let reply = try HookReply(parsing: bytes)
      _ = try JSON.object([:]).merging(reply.params ?? .null).merging(reply.context ?? .null).line()
      try hold(reply.retryAfter >= .seconds(1), "a hook defers by \(reply.retryAfter)")
    } catch let error as BadReply { try readable(error) }
  }

  private static func readable(_ error: BadReply) throws {
    let bad = error.description.unicodeScalars.first(where: Displayed.isObeyedOrHidden)
    try hold(bad == nil, "a bad reply is told with U+\(String(bad?.value ?? 0, radix: 16))")
    try hold(error.description.utf8.count < 2000, "a bad reply is told in \(error.description.utf8.count) bytes")
  }

  /// What we accept Foundation accepts too and means the same; and what was written is read back.
  private static func checkReader(_ bytes: [UInt8]) throws {
    guard let value = try? JSON(parsing: bytes) else { return }
    guard let other = try? JSONDecoder().decode(JSON.self, from: Data(bytes)) else {
      throw Broken(description: "accepted, and Foundation refuses it")
    }
    try hold(same(value, other), "Foundation reads \(other), we read \(value)")
    try hold(try JSON(parsing: value.line().utf8) == value, "not read back as written")
  }

  /// Numbers by their value: Foundation takes some whole ones for fractions, and rounds long ones a little differently.
  private static func same(_ one: JSON, _ other: JSON) -> Bool {
    switch (one, other) {
    case (.array(let left), .array(let right)):
      left.count == right.count && zip(left, right).allSatisfy { same($0, $1) }
    case (.object(let left), .object(let right)):
      left.count == right.count && left.allSatisfy { key, value in right[key].map { same(value, $0) } ?? false }
    default: one == other || areClose(one.double, other.double)
    }
  }

  private static func areClose(_ one: Double?, _ other: Double?) -> Bool {
    guard let one, let other else { return false }
    return one == other || abs(one - other) <= 2 * max(one.ulp, other.ulp)
  }
}
