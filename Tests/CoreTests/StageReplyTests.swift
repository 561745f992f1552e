import Core
import Testing

@Suite struct StageReplyTests {
  private func read(_ text: String) throws -> StageReply { try StageReply(parsing: Array(text.utf8)) }

  @Test(arguments: ["", " \n\t\r\n", "{}"])
  func `nothing is ok`(text: String) throws {
    #expect(try read(text) == StageReply(status: .ok))
  }

  @Test func `all of it is read`() throws {
    let text = """
      {"status":"skip","reason":"holiday","outputs":[{"name":"a","path":"x/y"}],"metrics":{"auc":0.5},
       "data":{"rows":3},"context":{"k":null},"new_in_api_2":[1]}
      """
    let expected = StageReply(
      status: .skip, reason: "holiday", outputs: [StageReply.Output(name: "a", path: "x/y")],
      metrics: ["auc": 0.5], data: ["rows": 3], context: ["k": nil])
    #expect(try read(text) == expected)
  }

  @Test(arguments: [
    ("{", "not one JSON object"), ("[]", "a list, expected one JSON object"), ("1", "a whole number"),
    ("{}{}", "not one JSON object"), ("{\"status\":\"good\"}", "expected one of `ok`, `skip`, `fail`, `retry`"),
    ("{\"status\":1}", "`status` is a whole number, expected text"),
    ("{\"outputs\":{}}", "`outputs` is a map, expected a list"),
    ("{\"outputs\":[{\"name\":\"a\"}]}", "`outputs[0]` needs a `name` and a `path`"),
    ("{\"outputs\":[{\"name\":\"a\",\"path\":\"1\"},{\"name\":\"a\",\"path\":\"2\"}]}", "two outputs are called `a`"),
    ("{\"metrics\":[]}", "`metrics` is a list, expected a map"), ("\u{FEFF}{}", "byte order mark"),
  ])
  func `a mistake is told in words`(text: String, words: String) {
    let error = #expect(throws: BadReply.self) { try read(text) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func `bytes that are not UTF-8 are no reply`() {
    #expect(throws: BadReply("the reply is not UTF-8")) { try StageReply(parsing: [0x7B, 0xFF, 0x7D]) }
  }

  @Test func `what a mistake quotes is short and escaped`() {
    let error = #expect(throws: BadReply.self) { try read("\u{1B}[2J" + String(repeating: "x", count: 5000)) }
    #expect((error?.description.count ?? 999) < 200)
    #expect(error?.description.contains("\u{1B}") == false)
  }

  @Test(arguments: [
    (
      "{\"metrics\":{\"a\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}}",
      "nested deeper"
    ),
    (
      "{\"outputs\":["
        + (0...1000).map { "{\"name\":\"o\($0)\",\"path\":\"p\"}" }.joined(separator: ",") + "]}", "1001 outputs"
    ),
    ("{\"outputs\":[{\"name\":\"\",\"path\":\"p\"}]}", "has an empty `name`"),
    ("{\"outputs\":[{\"name\":\"a\",\"path\":\"q\\u0000zz\"}]}", "or one with NUL"),
  ])
  func `what would cost too much, or names no file, is refused`(text: String, why: String) {
    let refusal = #expect(throws: BadReply.self) { try StageReply(parsing: Array(text.utf8)) }
    #expect(refusal?.description.contains(why) == true, "\(refusal?.description ?? "")")
  }

  @Test func `brackets inside a text nest nothing`() throws {
    let text = "{\"reason\":\"" + String(repeating: "[\\\"{", count: 100) + "\"}"
    #expect(try StageReply(parsing: Array(text.utf8)).reason?.utf8.count == 300)
  }

  @Test func `a nesting without end is a bad reply and no crash`() {
    #expect(throws: BadReply.self) { try read(String(repeating: "[", count: 100_000)) }
    #expect(throws: BadReply.self) { try read("{\"context\":" + String(repeating: "{\"a\":", count: 100_000)) }
  }
}

@Suite struct HookReplyTests {
  private func read(_ text: String) throws -> HookReply { try HookReply(parsing: Array(text.utf8)) }

  @Test(arguments: ["", "{}", "{\"decision\":null}"])
  func `nothing is allow`(text: String) throws {
    #expect(try read(text) == HookReply())
  }

  @Test func `all of it is read`() throws {
    let text = """
      {"decision":"defer","reason":"busy","patch":{"params":{"a":null},"context":{"b":1}},"granularity":"fine",
       "retry_after":"90s","annotations":{"n":1},"warnings":["w"]}
      """
    let expected = HookReply(
      decision: .defer, reason: "busy", params: ["a": nil], context: ["b": 1], granularity: .fine,
      retryAfter: .seconds(90), annotations: ["n": 1], warnings: ["w"])
    #expect(try read(text) == expected)
  }

  @Test func `annotations and warnings have their bounds`() throws {
    let large = "{\"annotations\":{\"a\":\"" + String(repeating: "x", count: 65_536) + "\"}}"
    var error = #expect(throws: BadReply.self) { try HookReply(parsing: Array(large.utf8)) }
    #expect(error?.description.hasPrefix("`annotations` has 65") == true)
    let many = "{\"warnings\":[" + Array(repeating: "\"w\"", count: 101).joined(separator: ",") + "]}"
    error = #expect(throws: BadReply.self) { try HookReply(parsing: Array(many.utf8)) }
    #expect(error?.description == "`warnings` has 101 texts, and 100 are the most")
  }

  @Test func `a defer that names no time waits a minute`() throws {
    #expect(try read("{\"decision\":\"defer\"}").retryAfter == .seconds(60))
  }

  @Test(arguments: [
    ("{\"decision\":\"error\"}", "expected one of"), ("{\"granularity\":\"tiny\"}", "`tiny`"),
    ("{\"patch\":{\"stage\":{}}}", "`patch` may change `params` and `context`, not `stage`"),
    ("{\"retry_after\":\"90\"}", "expected a time such as `60s`"), ("{\"retry_after\":90}", "expected text"),
    ("{\"warnings\":[1]}", "`warnings` must be a list of texts"), ("{\"patch\":[]}", "`patch` is a list"),
  ])
  func `a mistake is told in words`(text: String, words: String) {
    let error = #expect(throws: BadReply.self) { try read(text) }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }
}
