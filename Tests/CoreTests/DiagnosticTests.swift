import Core
import Testing

@Suite struct DiagnosticTests {
  @Test func `it points at the place and says what to do`() {
    let diagnostic = Diagnostic(
      at: Mark(file: "pipelines/x.yaml", line: 2, column: 5, length: 10), "unknown key `granularty`",
      hint: "did you mean `granularity`?")
    let texts = ["pipelines/x.yaml": "stages:\n  - granularty: auto\n"]
    #expect(
      [diagnostic].quoting(texts).map(\.rendered) == [
        """
        pipelines/x.yaml:2:5: error: unknown key `granularty`
         2 |   - granularty: auto
           |     ^^^^^^^^^^
          did you mean `granularity`?
        """
      ])
  }

  @Test func `the caret stands under the place, whatever comes before it`() {
    let line = "é\t\u{202E}\u{1b}[31m: x"
    let column = line.unicodeScalars.count
    let diagnostic = Diagnostic(at: Mark(file: "f", line: 1, column: column), "odd", source: line)
    #expect(
      diagnostic.rendered == """
        f:1:\(column): error: odd
         1 | é \\u{202e}\\x1b[31m: x
           |                     ^
        """)
  }

  @Test func `a place that is not in the text does no harm`() {
    let diagnostic = Diagnostic(.warning, at: Mark(file: "f", line: 9, column: 99, length: 7), "gone")
    #expect([diagnostic].quoting(["f": "one\ntwo"]).map(\.rendered) == ["f:9:99: warning: gone"])
    let beyond = Diagnostic(at: Mark(file: "f", line: 1, column: 99), "beyond")
    #expect([beyond].quoting(["f": "ab"]).map(\.rendered) == ["f:1:99: error: beyond\n 1 | ab\n   |   ^"])
  }

  @Test func `as JSON it carries the same`() {
    let diagnostic = Diagnostic(
      at: Mark(file: "f", line: 2, column: 3), "odd", hint: "mend it", source: "text")
    #expect(
      diagnostic.json == [
        "severity": "error", "file": "f", "line": 2, "column": 3, "message": "odd", "hint": "mend it",
        "source": "text",
      ])
  }

  @Test func `they come in the order of the file, and the same only once`() {
    var findings = Findings()
    findings.error("second", at: Mark(file: "f", line: 2))
    findings.error("first", at: Mark(file: "f", line: 1))
    findings.error("second", at: Mark(file: "f", line: 2))
    #expect(findings.diagnostics.quoting([:]).map(\.message) == ["first", "second"])
  }

  @Test func `an error after very many warnings is still told`() {
    var findings = Findings()
    for line in 1...500 { findings.warning("odd", at: Mark(file: "f", line: line)) }
    #expect(findings.diagnostics.count == 200)
    findings.error("wrong", at: Mark(file: "f"))
    #expect(findings.hasErrors)
  }
}
