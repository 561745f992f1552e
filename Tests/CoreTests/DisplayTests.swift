import Core
import Foundation
import Testing

@Suite struct DisplayTests {
  @Test(arguments: [
    ("plain é 漢", "plain é 漢"), ("a\nb\tc\rd", "a\\nb\\tc\\rd"), ("\u{1B}[2J", "\\x1b[2J"),
    ("\u{7F}\u{9B}", "\\x7f\\u{9b}"),
    ("\u{202E}x", "\\u{202e}x"), ("a\u{200B}b", "a\\u{200b}b"), ("\u{2028}", "\\u{2028}"), ("\\", "\\\\"),
    ("\u{FEFF}", "\\u{feff}"), ("a\u{FE0F}\u{34F}\u{3164}", "a\\u{fe0f}\\u{34f}\\u{3164}"),
    ("\0", "\\x00"),
  ])
  func `nothing hidden is hidden and nothing is obeyed`(text: String, shown: String) {
    #expect(Display.escaped(text) == shown)
  }

  @Test(
    arguments: [
      ([0xFF, 0x61], "\\xffa"), ([0xC3], "\\xc3"), ([0xE2, 0x82, 0x41], "\\xe2\\x82A"),
      ([0xED, 0xA0, 0x80], "\\xed\\xa0\\x80"), ([0xC0, 0x80], "\\xc0\\x80"),
    ] as [([UInt8], String)])
  func `bytes that are not UTF-8 are shown as bytes`(bytes: [UInt8], shown: String) {
    #expect(Display.escaped(bytes) == shown)
  }

  @Test func `a C1 control and the lone byte of its number are told apart`() {
    #expect(Display.escaped([0xC2, 0x80]) != Display.escaped([0x80]))
  }

  @Test func `whatever comes in, what comes out has no control character, and no two inputs look the same`() {
    var chance = Seeded(6)
    var seen: [String: [UInt8]] = [:]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0..<12, using: &chance)).map { _ in UInt8.random(in: 0...255, using: &chance) }
      let shown = Display.escaped(bytes)
      #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
      #expect(seen.updateValue(bytes, forKey: shown).map { $0 == bytes } ?? true)
    }
  }

  @Test func `a long text is cut`() {
    #expect(Display.brief(String(repeating: "x", count: 61)) == String(repeating: "x", count: 60) + "…")
    #expect(Display.brief("x" + String(repeating: "\u{300}", count: 2000)).unicodeScalars.count == 61)
  }
  @Test func `an error of a file holds nothing a terminal obeys, and what was escaped stays as it is`() {
    let error = Diagnostic(at: Mark(file: "f"), "a `\t`", hint: "no \u{1B}[2J, é \\n")
    #expect(error.message == "a `\\t`" && error.hint == "no \\x1b[2J, é \\n")
  }
}
