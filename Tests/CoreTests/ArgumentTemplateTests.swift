import Core
import Testing

@Suite struct ArgumentTemplateTests {
  private func expand(_ argv: [String], input: String? = "/drop/a b.csv") throws -> [String] {
    try ArgumentTemplate.expand(
      argv: argv, input: input, home: "/home", out: "/out",
      params: ["n": 3, "share": 0.5, "deep": true, "word": "${home} x", "list": [1], "none": nil])
  }

  @Test func `values go into their own element, which is never split`() throws {
    #expect(
      try expand(["run", "${input}", "--out=${out}/x", "${params.n}", "${params.word}", "$HOME", "$${out}"])
        == ["run", "/drop/a b.csv", "--out=/out/x", "3", "${home} x", "$HOME", "${out}"])
    #expect(try expand(["${params.share}", "${params.deep}", ""]) == ["0.5", "true", ""])
  }

  @Test(arguments: [
    ("${params.m}", "`params.m` has no value"), ("${params.none}", "`params.none` has no value"),
    ("${params.list}", "`params.list` is a list or a map, which is no argument"),
    ("${input}", "the stage has no input"), ("${vars.x}", "nothing is known as `${vars.x}`"),
    ("${out", "`${` is never closed"),
  ])
  func `a missing value is an error`(element: String, reason: String) {
    #expect(throws: ArgumentTemplate.Missing(element: element, reason: reason)) {
      try expand(["run", element], input: nil)
    }
  }
}
