import Core
import Testing

@Suite struct NearestTests {
  @Test(arguments: [
    ("granularty", "granularity"), ("Timeout", "timeout"), ("tiemout", "timeout"), ("neds", "needs"),
    ("paramz", "params"), ("onerror", "on_error"),
  ])
  func `a slip of the pen finds its word`(word: String, meant: String) {
    let keys = ["granularity", "timeout", "needs", "params", "on_error", "uses", "run"]
    #expect(Nearest.name(to: word, among: keys) == meant)
  }

  @Test(arguments: ["xyz", "", "completely different", "a"])
  func `what is far from every word finds none`(word: String) {
    #expect(Nearest.name(to: word, among: ["granularity", "timeout", "uses"]) == nil)
  }

  @Test func `neighbours swapped are one edit`() {
    #expect(Nearest.distance(Array("trian"), Array("train")) == 1)
    #expect(Nearest.distance(Array(""), Array("abc")) == 3)
    #expect(Nearest.distance(Array("kitten"), Array("sitting")) == 3)
  }

  @Test func `a distance is the same both ways and nothing only for equal words`() {
    var chance = Seeded(1)
    func word() -> [Character] {
      (0..<Int.random(in: 0...6, using: &chance)).map { _ in "abc".randomElement(using: &chance) ?? "a" }
    }
    for _ in 0..<500 {
      let (left, right) = (word(), word())
      #expect(Nearest.distance(left, right) == Nearest.distance(right, left))
      #expect((Nearest.distance(left, right) == 0) == (left == right))
    }
  }

  @Test func `without a near word the few there are are named`() {
    #expect(Nearest.hint(for: "zzz", among: ["one", "two"], called: "keys") == "keys: `one`, `two`")
    #expect(Nearest.hint(for: "zzz", among: [], called: "keys") == nil)
    #expect(Nearest.hint(for: "zzz", among: ["o\tne", "\u{1B}[2J"], called: "keys") == "keys: `o\\tne`, `\\x1b[2J`")
    #expect(Nearest.hint(for: "one", among: ["o\tne"], called: "keys") == "did you mean `o\\tne`?")
  }
}
