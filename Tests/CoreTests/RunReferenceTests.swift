import Core
import Testing

@Suite struct RunReferenceTests {
  @Test(arguments: [
    ("last", RunReference.last), ("7", .number(7)), ("1234567", .number(1_234_567)),
    ("0198", .prefix("0198")),
    ("01987654", .prefix("01987654")), ("0198ABcd-", .prefix("0198abcd-")), ("beef", .prefix("beef")),
  ])
  func `what a person types is read`(text: String, expected: RunReference) {
    #expect(RunReference(text) == expected)
  }

  @Test func `a whole id is an id`() throws {
    let id = try #require(RunID("019a9f00-0000-7000-8000-000000000001"))
    #expect(RunReference("019A9F00-0000-7000-8000-000000000001") == .id(id))
    #expect(RunReference.id(id).description == id.text)
  }

  @Test(arguments: [
    "", "0", "019", "train", "-1", "7 ", "0198*", "0198_", "٧", "9999999999999999999999999999999999999999",
  ])
  func `what can be no run is refused`(text: String) {
    #expect(RunReference(text) == nil)
  }
}
