import Foundation
import GRDB
import Testing

@testable import Store

@Suite(.timeLimit(.minutes(5))) struct HotJournalTests {
  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  @Test func `S02: a database is in WAL mode before it has its name`() throws {
    try StateFile(path: state.path).prepare(.current)
    // bytes 18 and 19 of the header: the file format's write and read version, 2 for WAL
    let header = try Data(contentsOf: URL(fileURLWithPath: state.path)).prefix(20)
    #expect(Array(header[18...19]) == [2, 2])
  }

  @Test func `S02: what a power loss left half done in a restored database is undone at the next start`() throws {
    try StateStore(path: state.path).close()
    let lost = state.path + ".lost"
    let queue = try DatabaseQueue(path: state.path)
    try queue.writeWithoutTransaction { database in
      try database.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; BEGIN IMMEDIATE")
      for n in 1...200 {
        try database.execute(
          sql: "INSERT INTO run_count VALUES (?, 'done', 1)", arguments: ["\(n)" + String(repeating: "x", count: 500)])
      }
      // the cache has spilled into the file: the journal alone knows what was there before
      for suffix in ["", "-journal"] {
        try FileManager.default.copyItem(atPath: state.path + suffix, toPath: lost + suffix)
      }
      try database.execute(sql: "ROLLBACK")
    }
    try queue.close()

    let store = try StateStore(path: lost)
    #expect(try store.onWriter { try Int.fetchOne($0, sql: "SELECT count(*) FROM run_count") } == 0)
    try store.close()
  }
}
