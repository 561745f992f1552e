import Core
import Testing

@Suite struct JSONReaderTests {
  @Test(
    arguments: [
      ("1", 1), ("-0", 0), ("1.0", 1), ("1e3", 1000), ("-2.5E-1", -0.25), ("9223372036854775807", .integer(.max)),
      ("9223372036854775808", .number(9_223_372_036_854_775_808)), (" [ ] ", []), ("{ }", [:]),
      ("\"\\u00e9\\uD83D\\uDE00\\/\\n\"", "é😀/\n"), ("[true,false,null]", [true, false, nil]),
      ("{\"a\":{\"b\":[1,\"x\"]}}", ["a": ["b": [1, "x"]]]),
    ] as [(String, JSON)])
  func `a value is read as RFC 8259 has it`(text: String, value: JSON) throws {
    #expect(try JSON(parsing: text.utf8) == value)
  }

  @Test(arguments: [
    "", "01", "1.", ".5", "+1", "1e", "NaN", "Infinity", "1e999", "tru", "[1,]", "{\"a\":1,}", "[1 2]", "{a:1}",
    "{\"a\" 1}", "\"a", "\"\n\"", "\"\\x41\"", "\"\\u12G4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "1 2",
    "{}{}", "// a\n1", "'a'", "\u{FEFF}1", "[\u{A0}1]",
  ])
  func `P05: what is no JSON is refused`(text: String) {
    #expect(throws: JSON.Unreadable.self) { try JSON(parsing: text.utf8) }
  }

  @Test(arguments: ["{\"a\":1,\"a\":1}", "{\"\\u00e9\":1,\"é\":2}", "{\"e\\u0301\":1,\"é\":2}"])
  func `P05: a key that stands twice leaves open what was meant, and is refused`(text: String) {
    let error = #expect(throws: JSON.Unreadable.self) { try JSON(parsing: text.utf8) }
    #expect(error?.reason.contains("stands twice") == true)
  }

  @Test func `P05: a mistake names its byte, and nesting its limit`() throws {
    let error = #expect(throws: JSON.Unreadable.self) { try JSON(parsing: "[1, 2 3".utf8) }
    #expect(error?.description == "expected `,` or `]` (byte 7)")
    let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
    #expect(throws: JSON.TooDeep.self) { try JSON(parsing: deep.utf8) }
    _ = try JSON(parsing: deep.utf8.dropFirst().dropLast())
  }

  @Test(.timeLimit(.minutes(5))) func `P04: a reply of a mebibyte is read in a moment`() throws {
    let list = "[" + String(repeating: "{\"a\":[1.5,\"x\"]},", count: 65_000) + "{}]"
    let clock = ContinuousClock()
    var count: Int?
    let took = try clock.measure { count = try JSON(parsing: list.utf8).array?.count }
    #expect(count == 65_001)
    #expect(took < .seconds(5))
  }
}
