import Core
import Foundation
import Host
import Testing

@Suite struct YAMLDocumentTests {
  private func parse(_ text: String) throws -> Node { try YAMLDocument.parse(Array(text.utf8), file: "f") }

  private func complaint(_ bytes: [UInt8]) -> String? {
    do {
      _ = try YAMLDocument.parse(bytes, file: "f")
      return nil
    } catch { return error.rendered }
  }

  @Test func `values know their place and keep their text`() throws {
    let root = try parse("a: 1\nb:\n  - off\n  - \"0777\"\n  - {c: é, d: 'x y'}\n")
    #expect(root["a"]?.mark == Mark(file: "f", line: 1, column: 4))
    #expect(root.entry("b")?.mark == Mark(file: "f", line: 2, column: 1))
    let elements = try #require(root["b"]?.elements)
    #expect(elements[0].content == .scalar("off", quoted: false))
    #expect(elements[1].content == .scalar("0777", quoted: true))
    #expect(elements[2]["d"]?.mark == Mark(file: "f", line: 5, column: 15, length: 5))
    #expect(elements[2]["d"]?.text == "x y")
  }

  @Test func `JSON is read the same way, tabs and all`() throws {
    let root = try parse("{\n\t\"a\": [1, true, null, \"x\\n\"],\n\t\"b\": {\"c\": 1.5}\n}\n")
    #expect(root.json == ["a": [1, true, nil, "x\n"], "b": ["c": 1.5]])
  }

  @Test func `a byte order mark is passed over`() throws {
    let root = try YAMLDocument.parse([0xEF, 0xBB, 0xBF] + Array("a: 1".utf8), file: "f")
    #expect(root.entry("a")?.mark == Mark(file: "f", line: 1, column: 1))
  }

  @Test(arguments: [
    (
      "a: &x 1\nb: *x",
      "f:1:4: error: `&x` is an anchor; anchors and aliases are not read\n  write it out, or use `vars` and `${vars.x}`"
    ),
    (
      "b: *x",
      "f:1:4: error: `*x` is an alias; aliases are not read\n  write it out, or use `vars` and `${vars.x}`"
    ),
    (
      "a: !!str 1",
      "f:1:4: error: `tag:yaml.org,2002:str` is a tag; tags are not read\n  quote what is to be text, the rest is read by its place"
    ),
    (
      "a: 1\n---\nb: 2",
      "f:2:1: error: a second document begins here; a file holds one\n  put it in a file of its own, or remove the `---`"
    ),
    ("a: 1\nb: 2\na: 3", "f:3:1: error: key `a` stands twice\n  it stands first in line 1, column 1"),
    ("x: {a: 1, \"a\": 2}", "f:1:11: error: key `a` stands twice\n  it stands first in line 1, column 5"),
    ("a:\n\tb: 1", "f:2:1: error: a tab, where YAML indents with spaces\n  replace it by spaces"),
    ("a: \u{0}", "f:1:4: error: the file holds a NUL byte: it is not text"),
    ("a: \"\\0\"", "f:1:4: error: the text holds a NUL character"),
    ("a: [1, 2", "f:1:9: error: expected `,` or `]`\n  the list in brackets begins in line 1, column 4"),
    ("a: {b: 1", "f:1:9: error: expected `,` or `}`\n  the map in braces begins in line 1, column 4"),
    (
      "a: b: c",
      "f:1:5: error: a `:` where no key can stand\n  quote text that contains `: `, or check the indentation of this line and the one before"
    ),
    ("a: 'x", "f:1:6: error: a quote is not closed before the end of the file"),
    (
      "a: @x",
      "f:1:4: error: no value can start with this character\n  quote text that begins with `@`, `%` or a backtick"
    ),
    (
      "a: *.csv",
      "f:1:5: error: `*` and `&` have a meaning of their own in YAML\n  quote text that begins with one of them: `\"*.csv\"`"
    ),
    (
      "a: [cat, ${input}]",
      "f:1:11: error: `${…}` without quotes: YAML takes its brace for the beginning of a map\n  write `\"${…}\"`"
    ),
    (
      "a: [b, {c: d} {e: f}]", "f:1:15: error: expected `,` or `]`\n  the list in brackets begins in line 1, column 4"
    ),
    ("run: [sh, -c\n{a: b}", "f:2:1: error: expected `,` or `]`\n  the list in brackets begins in line 1, column 6"),
    (
      "[\n{\"a\": 1}\n{\"b\": 2}\n]",
      "f:3:1: error: expected `,` or `]`\n  the list in brackets begins in line 1, column 1"
    ),
    ("? [a]\n: 1", "f:1:3: error: a key must be text, not a list"),
    ("a: 1\nb: \u{1}", "f:2:4: error: the file holds a control character\n  remove it"),
  ])
  func `C02: what is refused is refused in words`(text: String, expected: String) {
    #expect(complaint(Array(text.utf8)) == expected)
  }

  @Test func `bytes that are no text are refused`() {
    #expect(
      complaint([0x61, 0x0A, 0x62, 0xFF])
        == "f:2:2: error: the file is not UTF-8 from here on\n  save it as UTF-8")
    #expect(complaint([0xFF, 0xFE, 0x61, 0x00]) == "f:1:1: error: the file is UTF-16\n  save it as UTF-8")
  }

  @Test(.timeLimit(.minutes(5))) func `C02: a file made to hurt is refused at once`() throws {
    let deep = [
      String(repeating: "[", count: 1_000_000), String(repeating: "{a: ", count: 10_000),
      String(repeating: "- ", count: 10_000) + "x",
      (0..<1000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
    ]
    for text in deep {
      #expect(
        complaint(Array(text.utf8))?.contains("nested deeper than 64 levels") == true, "\(text.prefix(20))")
    }
    let keys = String(repeating: "? ", count: 10_000) + "x"
    #expect(complaint(Array(keys.utf8)) == "f:1:3: error: a key must be text, not a map")
    let large = [UInt8](repeating: UInt8(ascii: "a"), count: (1 << 20) + 1)
    #expect(complaint(large) == "f:1:1: error: the file has 1048577 bytes; at most 1048576 (1 MiB) are read")
    var bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for (name, last) in zip("bcdefghij", "abcdefghi") {
      bomb += "\(name): &\(name) [" + Array(repeating: "*\(last)", count: 9).joined(separator: ", ") + "]\n"
    }
    #expect(complaint(Array(bomb.utf8))?.contains("anchor") == true)
  }

  @Test func `C02: what YAML 1.1 would take for another value is text`() throws {
    let root = try parse("a: no\nb: 0777\nc: 12:30\nd: 1_000\ne: off\nf: y\n")
    #expect(root.json == ["a": "no", "b": "0777", "c": "12:30", "d": "1_000", "e": "off", "f": "y"])
  }

  @Test func `64 levels are read, 65 are not`() {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(complaint(nested(64)) == nil)
    #expect(complaint(nested(65)) == "f:1:65: error: nested deeper than 64 levels")
  }

  @Test(.timeLimit(.minutes(5))) func `no bytes crash the reader or what comes after it`() throws {
    let seeds = [
      PipelineFolderTests.train, PipelineFolderTests.pipeline,
      "a: &x [1, *x]\n--- |\n text\n...\n", "{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\"}",
      "? a\n: - b\n  - !!x c\n",
    ]
    let odd =
      Array("&*!|>%@`{}[],:?-#'\"\\\t\n\r \u{0}\u{85}\u{2028}é$".utf8) + [0xFF, 0xC3, 0x80, 0xEF, 0xBB, 0xBF]
    var state: UInt64 = 42
    func chance(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % max(1, bound)
    }
    var read = 0
    for _ in 0..<6000 {
      var bytes = Array(seeds[chance(seeds.count)].utf8)
      for _ in 0...chance(3) {
        let at = chance(bytes.count)
        switch chance(4) {
        case 0 where !bytes.isEmpty: bytes.remove(at: at)
        case 1: bytes.insert(odd[chance(odd.count)], at: at)
        case 2 where !bytes.isEmpty: bytes[at] = odd[chance(odd.count)]
        default: bytes += bytes.prefix(at)
        }
      }
      guard let root = try? YAMLDocument.parse(bytes, file: "pipelines/x.yaml") else { continue }
      read += 1
      let text = String(decoding: bytes, as: UTF8.self)
      let catalog = PipelineCatalog(
        documents: [PipelineDocument(path: "pipelines/x.yaml", text: text, root: root)],
        context: PipelineCatalog.Context(
          stages: [:], environment: [:], settings: Settings(), now: .distantPast, sha256: { _ in "" }))
      for loaded in catalog.load() { for diagnostic in loaded.diagnostics { _ = diagnostic.rendered } }
      var decoder = ManifestDecoder()
      _ = decoder.decode(root, name: "x", kit: "/kit")
      var settings = SettingsDecoder()
      _ = settings.decode(root)
    }
    #expect(read > 500)
  }
}
