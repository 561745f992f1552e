import Testing

@testable import Core

@Suite struct BatchReplyTests {
  private func read(_ text: String) throws -> [Result<StageReply, BadReply>] {
    try BatchReply.read(Array(text.utf8), of: ["a", "2"])
  }

  @Test func `every item has its own reply, whatever their order`() throws {
    let replies = try read(#"{"items":[{"id":2,"status":"fail","reason":"no"},{"id":"a","data":{"x":1}}]}"#)
    #expect(try replies.map { try $0.get().status } == [.ok, .fail])
    #expect(try replies[0].get().data == ["x": 1])
  }

  @Test func `a reply without items is meant for each, an empty one too`() throws {
    #expect(try read("").map { try $0.get().status } == [.ok, .ok])
    #expect(try read(#"{"status":"retry"}"#).map { try $0.get().status } == [.retry, .retry])
  }

  @Test func `an item without a word, or with a bad one, fails alone`() throws {
    let replies = try read(#"{"items":[{"id":"a","status":"fine"}]}"#)
    #expect(replies[0] == .failure(BadReply("`status` is `fine`: expected one of `ok`, `skip`, `fail`, `retry`")))
    #expect(replies[1] == .failure(BadReply("the reply has no word on this item")))
  }

  @Test(arguments: [
    (#"{"items":[{"status":"ok"}]}"#, "`items[0]` needs the `id` of its item"),
    (#"{"items":[{"id":"b"}]}"#, "`items[0]` is about `b`, an item it was not given"),
    (#"{"items":[{"id":"a"},{"id":"a"}]}"#, "`items` has two replies for `a`"),
    (#"{"items":{}}"#, "`items` is a map, expected a list"),
  ])
  func `what cannot be used at all says why`(text: String, words: String) {
    #expect(throws: BadReply(words)) { try read(text) }
  }

  @Test func `the envelope of an item is that of its stage with the item, its directory and its deadline`() throws {
    let envelope = try ItemEnvelope(
      Envelope(event: "stage", run: nil, drop: nil, stage: nil, home: "/h"), isBatch: false)
    let item = Item(index: 0, id: "a\"b", data: #"{"x":1.10}"#)
    let line = String(decoding: try envelope.line([item], out: "/o", deadline: nil), as: UTF8.self)
    #expect(line.hasSuffix("}\n"))
    let read = try JSON(parsing: line.utf8)
    #expect(read["item"] == ["id": "a\"b", "data": ["x": 1.1]] && read["out"] == "/o" && read["home"] == "/h")
    #expect(read["deadline"] == nil)
    let batch = try ItemEnvelope(Envelope(event: "stage", run: nil, drop: nil, stage: nil, home: "/h"), isBatch: true)
    let both = try JSON(parsing: try batch.line([item, item], out: "/o", deadline: "2026-01-01T00:00:00Z"))
    #expect(both["items"]?.array?.count == 2 && both["item"] == nil && both["deadline"] == "2026-01-01T00:00:00Z")
  }
}
