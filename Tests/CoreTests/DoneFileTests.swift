import Core
import Foundation
import Testing

@Suite struct DoneFileTests {
  private let csv = try? NamePattern("*.csv")

  @Test func `the done file of a drop carries its name, bytes and all`() throws {
    #expect(try DoneFile("${name}.ok").name(for: FileName("a.csv")) == FileName("a.csv.ok"))
    #expect(try DoneFile("${stem}.ok").name(for: FileName("a.b.csv")) == FileName("a.b.ok"))
    #expect(try DoneFile("ok-${name}").name(for: FileName("plain")) == FileName("ok-plain"))
    #expect(try DoneFile("${stem}.ok").name(for: FileName(".hidden")) == FileName(".hidden.ok"))
    let raw = FileName([0xFF, 0x2E, 0x63])
    #expect(try DoneFile("${name}!").name(for: raw) == FileName([0xFF, 0x2E, 0x63, 0x21]))
  }

  @Test func `a name is told to be a done file, or not`() throws {
    let rule = try DoneFile("${name}.ok")
    #expect(rule.belongs(FileName("a.csv.ok"), to: csv))
    for name in ["a.csv", "a.txt.ok", ".ok", "ok"] { #expect(!rule.belongs(FileName(name), to: csv), "\(name)") }
    #expect(try DoneFile("${stem}.ok").belongs(FileName("a.ok"), to: csv))
    #expect(try !DoneFile("${stem}.ok").belongs(FileName(".ok"), to: csv))
  }

  @Test(arguments: [
    "done.ok", "${name}", "${name}${stem}.ok", "${other}.ok", "a/${name}", "${name:-x}.ok", "${name", ".${name}",
    "${name}.tmp",
  ])
  func `what names no file of a drop's own is refused`(text: String) {
    #expect(throws: NamePattern.Malformed.self) { try DoneFile(text) }
  }

  @Test func `it is kept as it was written`() throws {
    let rule = try DoneFile("${name}.ok")
    let kept = try JSONDecoder().decode(DoneFile.self, from: JSONEncoder().encode(rule))
    #expect(kept == rule && kept.text == "${name}.ok")
  }
}
