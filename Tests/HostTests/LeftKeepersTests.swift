import Testing

@testable import Host

@Suite struct LeftKeepersTests {
  /// A process of the session 100, whose leader has died: a keeper.
  private func keeper(_ process: Int32, _ state: ProcessEntry.State) -> ProcessEntry {
    ProcessEntry(process: process, parent: 1, group: 100, session: 100, state: state)
  }

  private func program(
    _ process: Int32, below parent: Int32, group: Int32? = nil, _ state: ProcessEntry.State = .running
  ) -> ProcessEntry {
    ProcessEntry(process: process, parent: parent, group: group ?? process, session: group ?? process, state: state)
  }

  private func ends(_ table: [ProcessEntry]) -> [LeftKeepers.End] { LeftKeepers.ends(session: 100, in: table) }

  @Test func `P14 all below a stopped keeper ends before it does`() {
    let (stopped, child) = (keeper(101, .stopped), program(200, below: 101))
    let (fellow, deeper) = (program(201, below: 200, group: 200), program(202, below: 201))
    #expect(
      ends([deeper, fellow, stopped, child]) == [
        LeftKeepers.End(target: child, isGroup: true), LeftKeepers.End(target: deeper),
      ])
    #expect(ends([stopped]) == [LeftKeepers.End(target: stopped)])
  }

  @Test func `P14 one that is not stopped yet might still start something, and is left for the next time`() {
    #expect(ends([keeper(101, .running), program(200, below: 101)]) == [])
  }

  @Test func `P14 strangers, the dead spawner and the dead are left alone`() {
    let (stopped, stranger) = (keeper(101, .stopped), program(300, below: 1, .stopped))
    let spawner = ProcessEntry(process: 100, parent: 50, group: 100, session: 100, state: .ended)
    let dead = program(200, below: 101, .ended)
    #expect(ends([spawner, stranger, program(301, below: 300), dead, stopped]) == [LeftKeepers.End(target: stopped)])
  }

  @Test func `P14 a child that has not left the keeper's group yet ends alone`() {
    let child = ProcessEntry(process: 200, parent: 101, group: 100, session: 100)
    #expect(ends([keeper(101, .stopped), child]) == [LeftKeepers.End(target: child)])
  }

  @Test func `P14 a table that goes round in a circle is read to its end`() {
    let (child, first, second) = (program(200, below: 101), program(201, below: 202), program(202, below: 201))
    #expect(ends([keeper(101, .stopped), child, first, second]) == [LeftKeepers.End(target: child, isGroup: true)])
    let own = program(101, below: 200)
    #expect(ends([keeper(101, .stopped), child, own]) == [LeftKeepers.End(target: child, isGroup: true)])
  }

  @Test(
    arguments: [
      ("S", "1", .running), ("D", "1", .running), ("T", "1", .stopped), ("t", "1", .stopped), ("Z", "1", .ended),
      ("X", "1", .ended), ("Z", "2", .running),
    ] as [(String, String, ProcessEntry.State)])
  func `P14 one whose first thread alone has ended lives on`(letter: String, threads: String, state: ProcessEntry.State)
    throws
  {
    let line = "\(letter) 7 8 9 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 \(threads) 0 12345"
    let entry = try #require(ProcessEntry(5, fields: line.split(separator: " ")))
    #expect(entry == ProcessEntry(process: 5, parent: 7, group: 8, session: 9, state: state))
  }
}
