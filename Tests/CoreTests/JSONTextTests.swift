import Core
import Foundation
import Testing

@Suite struct JSONTextTests {
  private func encoded(_ value: JSON) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  @Test func `every character is written as Foundation writes it`() throws {
    let scalars = (0...0x2FF).compactMap { UnicodeScalar($0) } + ["\u{2028}", "é", "😀", "\u{FFFD}"]
    for scalar in scalars {
      let text = JSON.string("a\(String(Character(scalar)))/b")
      #expect(try text.line() == encoded(text))
    }
  }

  @Test(arguments: [0, -0.0, 1, 1.5, 0.1, -2.5e-7, 1e16, 1e300, 2.5e-300, 123_456_789.125])
  func `numbers are written as Foundation writes them`(number: Double) throws {
    #expect(try JSON.number(number).line() == encoded(.number(number)))
  }

  @Test func `any value is written as Foundation writes it`() throws {
    var chance = Seeded(7)
    for _ in 0..<300 {
      let value = Self.value(depth: 4, &chance)
      #expect(try value.line() == encoded(value))
    }
  }

  @Test func `a number that is none cannot be written`() {
    #expect(throws: EncodingError.self) { try JSON.array([.number(.nan)]).line() }
    #expect(throws: EncodingError.self) { try JSON.object(["a": .number(-.infinity)]).line() }
  }

  private static func value(depth: Int, _ chance: inout Seeded) -> JSON {
    let keys = ["a", "B", "b", "é", "zz", "a/b", "10", "9", "", "\"q\"", "a b", "_"]
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &chance) {
    case 0: return .null
    case 1: return .bool(.random(using: &chance))
    case 2: return .integer(.random(in: Int.min...Int.max, using: &chance))
    case 3: return .number(.random(in: -1e6...1e6, using: &chance))
    case 4: return .string(keys.randomElement(using: &chance) ?? "")
    case 5: return .array((0..<Int.random(in: 0..<4, using: &chance)).map { _ in value(depth: depth - 1, &chance) })
    default:
      let count = Int.random(in: 0..<6, using: &chance)
      let chosen = keys.shuffled(using: &chance).prefix(count)
      return .object(Dictionary(uniqueKeysWithValues: chosen.map { ($0, value(depth: depth - 1, &chance)) }))
    }
  }
}
