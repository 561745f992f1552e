import Core
import Testing

@Suite struct TemplateTests {
  @Test(arguments: [
    ("plain", [Template.Piece.literal("plain")]),
    ("", []),
    ("${vars.x}", [.reference(.init("vars.x"))]),
    ("a${file.pair}b", [.literal("a"), .reference(.init("file.pair")), .literal("b")]),
    ("${HOME:-/root}", [.reference(.init("HOME", standard: "/root"))]),
    ("${X:-}", [.reference(.init("X", standard: ""))]),
    ("${X:-a:-b}", [.reference(.init("X", standard: "a:-b"))]),
    ("$${x}", [.literal("${x}")]),
    ("$$${x}", [.literal("$"), .reference(.init("x"))]),
    ("$$$${x}", [.literal("$${x}")]),
    ("cost: $5, $$", [.literal("cost: $5, $$")]),
    ("$", [.literal("$")]),
  ])
  func `text is read in pieces`(text: String, pieces: [Template.Piece]) throws {
    #expect(try Template(parsing: text).pieces == pieces)
  }

  @Test(arguments: [
    ("${", "`${` is never closed"), ("a${b", "`${` is never closed"),
    ("${}", "`${}` is no reference such as `${vars.x}`"),
    ("${a b}", "`${a b}` is no reference such as `${vars.x}`"),
    ("${a.b.c}", "`${a.b.c}` is no reference such as `${vars.x}`"),
    ("${vars.x:-1}", "`${vars.x:-…}`: only a variable of the environment has a default"),
  ])
  func `what is no reference is refused in words`(text: String, reason: String) {
    #expect(throws: Template.Malformed(reason: reason)) { try Template(parsing: text) }
  }

  @Test func `any text survives being escaped, alone and beside a reference`() throws {
    var chance = Seeded(3)
    for _ in 0..<3000 {
      let literal = String(
        (0..<Int.random(in: 0...7, using: &chance)).compactMap { _ in
          "$${}ax\u{301}".randomElement(using: &chance)
        })
      #expect(try Template(parsing: Template.escaped(literal)).plain == literal)
      let mixed = Template(pieces: [
        .literal(literal), .reference(.init("file.a")), .literal(literal), .reference(.init("out")),
      ])
      #expect(try Template(parsing: mixed.text) == mixed)
    }
  }

  @Test func `what is filled in is not read for references again`() throws {
    let template = try Template(parsing: "${file.a}-${file.b}")
    let filled = template.filling { $0.key == "a" ? [.literal("${out}")] : nil }
    #expect(filled.text == "$${out}-${file.b}")
    #expect(try Template(parsing: filled.text).references == [.init("file.b")])
  }
}
