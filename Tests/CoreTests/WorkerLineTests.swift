import Core
import Testing

@Suite struct WorkerLineTests {
  @Test(arguments: [
    ("{}", "{\"id\":7}\n"), ("{}\n", "{\"id\":7}\n"), ("{ }", "{\"id\":7}\n"), ("{\"a\":1}\n", "{\"id\":7,\"a\":1}\n"),
    ("{\"a\":{\"b\":[]}}", "{\"id\":7,\"a\":{\"b\":[]}}\n"),
  ])
  func `the id is put in front of what a request has`(object: String, line: String) throws {
    let made = WorkerLine.request(Array(object.utf8), id: 7)
    #expect(String(decoding: made, as: UTF8.self) == line)
    #expect(WorkerLine.id(of: made) == 7)
    #expect(try JSON(parsing: made)["id"] == 7)
  }

  @Test(arguments: [
    ("{\"id\":12,\"status\":\"ok\"}", 12), ("{\"id\": 12}", 12), (" { \"a\" : \"}{\\\"\" , \"id\" : 0 } ", 0),
    ("{\"a\":{\"id\":1,\"b\":[{\"id\":2}]},\"id\":3}", 3),
    ("{\"a\":[1,{}],\"b\":null,\"id\":9223372036854775807}", .max),
    ("{\"\\\\\":1,\"id\":4}", 4), ("{\"id\":5,\"rest\":\"is cut he", 5),
  ])
  func `an id is found wherever it stands`(line: String, id: Int) { #expect(WorkerLine.id(of: Array(line.utf8)) == id) }

  @Test(arguments: [
    "", " ", "ready", "[{\"id\":1}]", "{\"a\":1}", "{\"a\":{\"id\":1}}", "{\"id\":\"1\"}", "{\"id\":1.5}",
    "{\"id\":-1}",
    "{\"id\":1e3}", "{\"id\":9223372036854775808}", "{\"id\":92233720368547758080}", "{\"id\":1", "{\"id\"",
    "{\"a\":\"\\",
    "{\"a\":\"id\":1}", "{id:1}", "{\"a\" 1,\"id\":1}", "\u{FEFF}{\"id\":1}", "{\"ID\":1}", "{\"a\":[1,\"id\":1}",
  ])
  func `what has no whole number as its id has none`(line: String) {
    #expect(WorkerLine.id(of: Array(line.utf8)) == nil)
  }

  @Test func `every cut of a line is looked through without harm`() {
    let line = Array("{\"a\":{\"b\":[1,\"\\u00e9\\\\\"]},\"c\":null,\"id\":42,\"d\":{}}".utf8)
    for end in 0...line.count {
      let id = WorkerLine.id(of: Array(line[..<end]))
      #expect(id == nil || id == 42)
    }
    #expect(WorkerLine.id(of: line) == 42)
  }
}
