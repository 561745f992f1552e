import Testing

@testable import Core

@Suite struct ItemTests {
  private func read(_ lines: String...) throws -> [Item] {
    var reading = ItemLine(of: "questions.jsonl")
    return try lines.compactMap { try reading.read(Array($0.utf8)) }
  }

  @Test func `a line is an item by its id, or by its number, and blank lines only count`() throws {
    let items = try read(#"{"id":"a","x":1.10}"#, "  ", #" {"x":2} "#, #"{"id":7}"#)
    #expect(items.map(\.id) == ["a", "3", "7"])
    #expect(items.map(\.index) == [0, 1, 2])
    #expect(items.map(\.data) == [#"{"id":"a","x":1.10}"#, #"{"x":2}"#, #"{"id":7}"#])
  }

  @Test func `a line of id and data alone is the item that data is`() throws {
    let items = try read(#"{"id":"a","data":{"x":1}}"#, #"{"id":"b","data":{"x":1},"y":2}"#, #"{"id":"c","data":3}"#)
    #expect(items.map(\.data) == [#"{"x":1}"#, #"{"id":"b","data":{"x":1},"y":2}"#, #"{"id":"c","data":3}"#])
  }

  @Test(arguments: [
    (["[1]"], "questions.jsonl:1 is no item: it is a list, expected one JSON object"),
    (["{}", #"{"id":}"#], "questions.jsonl:2 is no item: expected one JSON object"),
    ([#"{"id":"a"}"#, "", #"{"id":"a"}"#], "questions.jsonl:3 has the id `a`, as line 1 has"),
    ([#"{"id":"2"}"#, "{}"], "questions.jsonl:2 has the id `2`, as line 1 has"),
    ([#"{"id":""}"#], "questions.jsonl:1 has an `id` that is empty"),
    ([#"{"id":1.5}"#], "questions.jsonl:1 has a number as its `id`"),
  ])
  func `what is no item is an error with its place`(lines: [String], words: String) throws {
    var reading = ItemLine(of: "questions.jsonl")
    let error = #expect(throws: BadItem.self) { for line in lines { _ = try reading.read(Array(line.utf8)) } }
    #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
  }

  @Test func `the digest tells items apart`() {
    let item = Item(index: 0, id: "a", data: "{}")
    #expect(item.digest == Item(index: 5, id: "a", data: "{}").digest)
    #expect(item.digest != Item(index: 0, id: "b", data: "{}").digest)
    #expect(item.digest != Item(index: 0, id: "a", data: "{ }").digest)
    #expect(Item(index: 0, id: "a{", data: "}").digest != Item(index: 0, id: "a", data: "{}").digest)
  }

  @Test func `a sample takes its share, and a smaller one is contained in a larger one`() {
    let ids = (0..<20000).map { "item-\($0)" }
    var before: Set<String> = []
    for share in [0.01, 0.2, 0.5, 0.9] {
      let taken = Set(ids.filter { ItemSample(share).takes($0) })
      #expect(abs(Double(taken.count) / 20000 - share) < 0.01)
      #expect(before.isSubset(of: taken))
      before = taken
    }
    #expect(ids.allSatisfy { ItemSample(nil).takes($0) && ItemSample(1).takes($0) })
    // the same in every version: a changed hash would make another sample of every run
    #expect((0..<20).filter { ItemSample(0.2).takes("\($0)") } == Self.fifthOfTwenty)
  }

  private static let fifthOfTwenty = [4, 19]

  @Test(arguments: [(100, 1.0, 0), (100, 0.95, 5), (20, 0.95, 1), (10, 0.95, 0), (0, 1.0, 0), (3, 0.0, 3), (7, 0.5, 3)])
  func `so many may fail`(entered: Int, minimum: Double, allowed: Int) {
    #expect(ItemSuccess.allowed(of: entered, minimum: minimum) == allowed)
  }

  @Test func `a failure says how many, what was allowed, and the first`() {
    let first = [(id: "q7", reason: "exit 3")]
    #expect(ItemSuccess.complaint(entered: 100, failed: 5, minimum: 0.95, first: first) == nil)
    #expect(
      ItemSuccess.complaint(entered: 100, failed: 6, minimum: 0.95, first: first)
        == "6 of 100 items failed, and `min_success: 95%` allows 5: `q7`: exit 3")
    #expect(
      ItemSuccess.complaint(entered: 100, failed: 1, minimum: 1, first: first) == "1 of 100 items failed: `q7`: exit 3")
  }

  @Test func `calls are spaced evenly, however late the clock is asked`() {
    var pacing = CallPacing(rate: 5)
    #expect((0..<3).map { _ in pacing.take(at: .zero) } == [.zero, .milliseconds(200), .milliseconds(400)])
    // the time nobody used is not saved up
    #expect(pacing.take(at: .seconds(9)) == .zero)
    #expect(pacing.take(at: .seconds(9)) == .milliseconds(200))
  }

  @Test func `what is left is guessed by the pace of this attempt`() {
    let progress = ItemProgress(stage: "a", total: 100, ok: 60, kept: 50)
    #expect(progress.remaining(after: 20) == 80)
    #expect(ItemProgress(stage: "a", total: 100, ok: 50, kept: 50).remaining(after: 20) == nil)
    #expect(ItemProgress(stage: "a", ok: 5).remaining(after: 20) == nil)
    #expect(ItemProgress(stage: "a", total: 10, ok: 9, failed: 1).remaining(after: 20) == 0)
  }
}
