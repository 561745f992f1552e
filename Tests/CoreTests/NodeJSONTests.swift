import Core
import Testing

@Suite struct NodeJSONTests {
  @Test(arguments: [
    ("true", JSON.bool(true)), ("False", .bool(false)), ("null", .null), ("~", .null), ("", .null),
    ("12", 12),
    ("-7", -7), ("+7", 7), ("0", 0), ("1.5", 1.5), ("1e3", 1000), ("2.0", 2), (".5", 0.5), ("0x1F", 31), ("0o17", 15),
    ("99999999999999999999", .number(1e20)),
    ("no", "no"), ("off", "off"), ("yes", "yes"), ("0777", "0777"), ("1_000", "1_000"), (".inf", ".inf"),
    (".nan", ".nan"), ("1.2.3", "1.2.3"), ("20%", "20%"), ("2025-06-01", "2025-06-01"), ("1e999", "1e999"),
    ("0x", "0x"), ("-", "-"),
    ("12:30", "12:30"),
  ])
  func `an unquoted scalar is what YAML 1.2 says`(text: String, value: JSON) {
    #expect(Node.plain(text) == value)
    #expect(Node(.scalar(text, quoted: true), at: Mark(file: "f")).json == .string(text))
  }
}
