import Core
import Foundation
import Store
import Testing

/// Conditions that people write, evaluated by SQLite on one row and nothing else.
@Suite struct SQLExpressionTests {
  private static var id: RunID {
    var chance = SystemRandomNumberGenerator()
    return RunID(now: Date(timeIntervalSince1970: 0), using: &chance)
  }

  private var row: Condition.Row {
    let run = Run(
      id: Self.id, number: 7, pipeline: "fx", version: nil, trigger: .drop,
      drop: Drop(name: FileName("eur.csv"), bytes: 1000, captures: ["pair": "eur'usd"]),
      created: Date(timeIntervalSince1970: 0))
    return Condition.Row(
      run: run, context: ["rows": 12, "deep": ["x": true]], metrics: ["train": ["accuracy": 0.5]],
      data: .object([:]), states: ["train": "failed"])
  }

  @Test(arguments: [
    ("1", true), ("0", false), ("NULL", false), ("'x'", false), ("0.5", true),
    ("bytes = 1000 AND name LIKE '%.csv'", true), ("captures ->> 'pair' = 'eur''usd'", true),
    ("context ->> 'rows' > 11", true), ("context ->> 'rows' > 12", false), ("context ->> 'nothing' > 1", false),
    ("context ->> '$.deep.x' = 1", true), ("metrics ->> '$.train.accuracy' >= 0.5", true),
    ("states ->> 'train' = 'failed'", true), ("pipeline = 'fx' AND \"trigger\" = 'drop'", true),
    ("bytes > 1 -- of the drop", true), ("abs(-1) = 1", true), ("(SELECT count(*) FROM fact) = 1", true),
    ("name = ')' OR name = '?1 :x (' OR \"name\" LIKE '%''%'", false), ("(1) /* ) */ AND [bytes] > 1", true),
    ("(SELECT sum(v) FROM (SELECT 3 AS v)) = 3", true),
  ])
  func `it holds or it does not`(text: String, holds: Bool) throws {
    #expect(Condition.problem(in: text) == nil)
    #expect(try Condition.holds(text, on: row) == holds)
  }

  @Test(arguments: [
    ("rows > 1", 0, "no such column: rows"), ("bytes >", 7, "it ends too early"),
    ("bytes > 1; DROP TABLE x", 9, "syntax"),
    ("1) FROM fact; SELECT (1", 3, "syntax"), ("1) OR (1", 1, "near `)`: syntax"),
    ("?1 > 1", nil, "nobody fills in `?1`"), ("bytes > :x", nil, "nobody fills in `:x`"), ("@x", nil, "`@x`"),
    ("$x", nil, "`$x`"), ("? > 1", nil, "`?`"),
    ("sum(bytes) > 1", 0, "`sum()` goes over many rows"), ("bytes = max(bytes)", 8, "`max()` goes over many rows"),
    ("row_number() OVER () = 1", 0, "`row_number()` goes over many rows"), ("(bytes > 1", 10, "it ends too early"),
    ("bytes > 1 /* of", 15, "it ends too early"), ("name = 'x", 7, "does not end"),
    (" -- of the drop", 15, "it ends too early"), ("  ", 0, "got nothing"), ("1) /* (", 1, "syntax"),
    ("SELECT 1", 0, "syntax"), ("1 FROM fact", 2, "syntax"), ("bytes AS b", 6, "syntax"),
    ("load_extension('x')", nil, "`load_extension` cannot be used"),
    ("1 IN (SELECT value FROM json_each(context))", nil, "`json_each` cannot be used"),
    ("bytes > 1, bytes < 9", nil, "got a list"),
    ("(SELECT 1 FROM sqlite_schema) = nope", nil, "no such column"), ("", 0, "expected a condition, got nothing"),
    ("bytes > 1 AND nope = 2", 14, "no such column: nope"), ("1\0", nil, "NUL"), ("${file.x} = 1", nil, "unrecognized"),
  ])
  func `what is no condition is told with its place`(text: String, offset: Int?, words: String) {
    let problem = Condition.problem(in: text)
    #expect(problem?.reason.contains(words) == true, "\(String(describing: problem))")
    if let offset { #expect(problem?.offset == offset) }
  }

  @Test func `one that never ends is ended`() {
    let endless = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 1"
    #expect(Condition.problem(in: endless) != nil || (try? Condition.holds(endless, on: row)) == nil)
    let long = "(SELECT sum(a.i * b.i) FROM (SELECT 1 AS i) a, (SELECT 2 AS i) b) > 1"
    #expect((try? Condition.holds(long, on: row)) == true)
  }

  @Test func `one that would take all memory is refused`() {
    for greedy in ["length(replace(hex(zeroblob(4000000)), '0', '0123456789')) > 1", "length(zeroblob(900000000)) > 1"]
    {
      #expect(throws: Condition.Malformed.self) { try Condition.holds(greedy, on: row) }
    }
  }

  @Test func `a run that reads the drop of another sees its name`() throws {
    var run = Run(
      id: Self.id, pipeline: "fx", version: nil, trigger: .manual,
      created: Date(timeIntervalSince1970: 0))
    run.reads = Drop(name: FileName("eur.csv"), bytes: 10, captures: ["n": "7"])
    let row = Condition.Row(
      run: run, context: .object([:]), metrics: .object([:]), data: .object([:]), states: .object([:]))
    #expect(try Condition.holds("name = 'eur.csv' AND bytes = 10 AND captures ->> 'n' = '7'", on: row))
  }

  @Test func `a drop that is none has no name and no size`() throws {
    var row = row
    (row.name, row.bytes) = (nil, nil)
    #expect(try Condition.holds("name IS NULL AND bytes IS NULL", on: row))
  }
}
