import Core
import Foundation
import GRDB
import Testing

@testable import Store

/// A database that is damaged or gone stops whoever opens it, with words, and is left as it is.
@Suite(.timeLimit(.minutes(2))) struct DamageTests {
  enum Harm: String, CaseIterable {
    case flipped, truncated, cut, zeroed, header, garbage, empty, another
  }

  let state: TemporaryState

  init() throws { state = try TemporaryState() }

  /// A database of some pages, whose agent died: no `ended` in its row.
  private func filled(isClean: Bool = false) async throws {
    let store = try StateStore(path: state.path)
    for batch in 0..<6 { _ = try await store.claim((1...50).map { NewRun(Fixture.run(batch * 50 + $0)) }) }
    let ended = isClean ? Fixture.noon : nil
    try await store.record(agent: AgentRecord(boot: "b", pid: 1, started: Fixture.noon, ended: ended))
    try store.close()
  }

  private func harm(_ harm: Harm) throws {
    let url = URL(filePath: state.path)
    var bytes = try Data(contentsOf: url)
    switch harm {
    case .flipped:
      var chance = SystemRandomNumberGenerator()
      // enough that it meets what is looked at: quick_check does not look into the text of a row
      for page in 1..<(bytes.count / 4096) {
        for place in 0..<12 { bytes[page * 4096 + place] ^= UInt8.random(in: 1...255, using: &chance) }
      }
    case .truncated: bytes = bytes.prefix(bytes.count / 2 + 100)
    case .cut: bytes = bytes.prefix(bytes.count / 4096 / 2 * 4096)
    case .zeroed: bytes.replaceSubrange(4096 * 3..<4096 * 9, with: Data(count: 4096 * 6))
    case .header: bytes.replaceSubrange(0..<100, with: Data(count: 100))
    case .garbage: bytes = Data((0..<bytes.count).map { _ in UInt8.random(in: 0...255) })
    case .empty: bytes = Data()
    case .another: bytes = try Self.another()
    }
    try bytes.write(to: url)
  }

  private static func another() throws -> Data {
    let other = try TemporaryState()
    let queue = try DatabaseQueue(path: other.path)
    try queue.writeWithoutTransaction { try $0.execute(sql: "CREATE TABLE run (a); CREATE TABLE agent (ended)") }
    try queue.close()
    return try Data(contentsOf: URL(filePath: other.path))
  }

  @Test(arguments: Harm.allCases)
  func `S09 a damaged database is refused at the start in words, and not a byte of it changes`(_ harm: Harm)
    async throws
  {
    try await filled()
    try StateStore(path: state.path).backUp(now: Fixture.noon, keep: 3)
    try self.harm(harm)
    let before = try Data(contentsOf: URL(filePath: state.path))
    for _ in 1...2 {
      let error = #expect(throws: StoreError.self) { try StateStore(path: state.path).close() }
      guard case .corrupt(state.path, _) = error else {
        Issue.record("\(harm): \(String(describing: error))")
        return
      }
      #expect(error?.isStorageFailure == true)
      let words = error?.description ?? ""
      #expect(words.contains("cp -p \(state.directory)/backups/state-2025"), "\(words)")
    }
    #expect(try Data(contentsOf: URL(filePath: state.path)) == before)
  }

  @Test func `S09 after a clean end nothing is examined, after a sudden one everything`() async throws {
    try await filled(isClean: true)
    #expect(try !Glance(state.path, schema: .current).isUnclean)
    let store = try StateStore(path: state.path)
    try await store.record(agent: AgentRecord(boot: "b", pid: 1, started: Fixture.noon))
    #expect(try Glance(state.path, schema: .current).isUnclean)
    try store.close()
    #expect(try Glance(state.path, schema: .current).isUnclean)
    // and where the row says that it ended well, but the log was never emptied
    let killed = try TemporaryState()
    let other = try StateStore(path: state.path)
    try await other.record(agent: AgentRecord(boot: "b", pid: 1, started: Fixture.noon, ended: Fixture.noon))
    for name in ["state.db", "state.db-wal"] {
      try FileManager.default.copyItem(atPath: state.directory + "/" + name, toPath: killed.directory + "/" + name)
    }
    #expect(try Glance(killed.path, schema: .current).isUnclean)
    withExtendedLifetime(killed) {}
  }

  @Test func `S09 damage that shows only while it is used is said as such`() async throws {
    try await filled(isClean: true)
    let store = try StateStore(path: state.path)
    try harm(.zeroed)
    #expect(throws: StoreError.self) { try store.examine() }
    let error = #expect(throws: StoreError.self) { try store.backUp(now: Fixture.noon, keep: 3) }
    #expect(error?.isDamage == true)
    #expect(!FileManager.default.fileExists(atPath: state.directory + "/backups"))
  }

  @Test(arguments: ["work", "runs", "done", "failed", "quarantine", "backups"])
  func `S10 a missing database beside old work is not begun anew`(place: String) throws {
    try FileManager.default.createDirectory(
      atPath: state.directory + "/\(place)/0198", withIntermediateDirectories: true)
    let refusal = StoreError.gone(path: state.path, trace: "there are files in `\(place)/` beside it")
    #expect(throws: refusal) { _ = try StateStore(path: state.path) }
    #expect(throws: refusal) { _ = try StateReader(path: state.path) }
    #expect(refusal.isStorageFailure && refusal.description.contains("begin anew"))
    #expect(try state.names() == [place])
  }

  @Test func `S10 empty directories beside it are no memory`() throws {
    for place in ["work", "runs", "done"] {
      try FileManager.default.createDirectory(
        atPath: state.directory + "/" + place, withIntermediateDirectories: true)
    }
    try StateStore(path: state.path).close()
  }

  @Test func `S10 a database that is removed, renamed or replaced is written no more`() async throws {
    for way in ["removed", "renamed", "replaced"] {
      let state = try TemporaryState()
      let store = try StateStore(path: state.path)
      _ = try await store.claim([NewRun(Fixture.run(1))])
      switch way {
      case "removed": unlink(state.path)
      case "renamed": rename(state.path, state.path + ".aside")
      default:
        let other = try TemporaryState()
        try StateStore(path: other.path).close()
        rename(other.path, state.path)
      }
      let error = await #expect(throws: StoreError.self, "\(way)") { try await store.claim([NewRun(Fixture.run(2))]) }
      #expect(error?.isStorageFailure == true && "\(error!)".contains("removed or replaced"))
      withExtendedLifetime(state) {}
    }
  }

  @Test func `S09 a backup that is put in its place opens with all it has`() async throws {
    try await filled()
    let store = try StateStore(path: state.path)
    let backup = try store.backUp(now: Fixture.noon, keep: 3)
    _ = try await store.claim([NewRun(Fixture.run(999))])
    try store.close()
    try harm(.garbage)
    for name in ["state.db", "state.db-wal", "state.db-shm"] { unlink(state.directory + "/" + name) }
    try FileManager.default.copyItem(atPath: backup, toPath: state.path)
    let restored = try StateStore(path: state.path)
    #expect(try await restored.reader.runs(limit: 9999).count == 300)
    #expect(try await restored.reader.counts() == [RunCount(pipeline: "fx", state: .queued, count: 300)])
    #expect(try await restored.claim([NewRun(Fixture.run(999))])[0].number == 301)
  }
}
