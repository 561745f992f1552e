import Core
import Foundation
import GRDB
import Testing

@testable import Store

@Suite struct SlotTests {
  private func slot(_ hour: Int, _ state: Slot.State = .fired, run: RunID? = nil) -> Slot {
    Slot(
      pipeline: "fx", due: Fixture.noon + Double(hour) * 3600, state: state, at: Fixture.noon,
      reason: state == .fired ? nil : "because", run: run)
  }

  private func run(_ n: Int, _ hour: Int) -> Run {
    Run(
      id: Fixture.id(n), pipeline: "fx", version: nil, trigger: .slot, created: Fixture.noon,
      slot: Fixture.noon + Double(hour) * 3600)
  }

  private func mark(_ hour: Int) -> ScheduleMark {
    ScheduleMark(pipeline: "fx", content: "0 * * * *", seen: Fixture.noon + Double(hour) * 3600)
  }

  @Test func `T07: a slot, its run and how far its schedule is settled are one transaction`() async throws {
    let store = try StateStore.inMemory()
    let before = store.commits
    let recorded = try await store.record(
      [SlotRecord(slot(1, run: Fixture.id(1)), runs: [run(1, 1)])], marks: [mark(1)])
    #expect(store.commits - before == 1 && recorded.map(\.number) == [1])
    #expect(try await store.reader.slots(of: "fx", limit: 9) == [slot(1, run: Fixture.id(1))])
    #expect(try await store.reader.scheduleMarks() == ["fx": mark(1)])
    #expect(try await store.reader.run(matching: .number(1)).slot == Fixture.noon + 3600)
    // a run that cannot be recorded takes its slot and the mark along
    try store.onWriter {
      try $0.execute(sql: "CREATE TRIGGER no BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'no'); END")
    }
    await #expect(throws: StoreError.self) {
      _ = try await store.record([SlotRecord(slot(2, run: Fixture.id(2)), runs: [run(2, 2)])], marks: [mark(2)])
    }
    #expect(try await store.reader.slots(of: "fx", limit: 9).count == 1)
    #expect(try await store.reader.scheduleMarks() == ["fx": mark(1)])
  }

  @Test func `T07: a slot that is decided begins no second run; one that waits may fire once`() async throws {
    let store = try StateStore.inMemory()
    func record(_ slot: Slot, _ runs: [Run]) async throws -> Int {
      try await store.record([SlotRecord(slot, runs: runs)], marks: []).count
    }
    #expect(try await record(slot(1, run: Fixture.id(1)), [run(1, 1)]) == 1)
    #expect(try await record(slot(1, run: Fixture.id(2)), [run(2, 1)]) == 0)
    #expect(try await record(slot(2, .queued), []) == 0)
    #expect(try await store.reader.queuedSlots() == [slot(2, .queued)])
    #expect(try await record(slot(2, run: Fixture.id(3)), [run(3, 2)]) == 1)
    #expect(try await record(slot(2, run: Fixture.id(4)), [run(4, 2)]) == 0)
    #expect(try await store.reader.queuedSlots().isEmpty)
    #expect(try await store.reader.openSlots() == ["fx": 2])
    try await store.end(Fixture.id(1), RunEnding(.done), at: Fixture.noon)
    #expect(try await store.reader.openSlots() == ["fx": 1])
  }

  @Test func `old slots go, and those that wait stay`() async throws {
    let store = try StateStore.inMemory()
    _ = try await store.record([SlotRecord(slot(0, .queued))], marks: [])
    for start in stride(from: 1, to: 700, by: 100) {
      _ = try await store.record((start..<start + 100).map { SlotRecord(slot($0, .skipped)) }, marks: [])
    }
    let kept = try await store.reader.slots(of: "fx", limit: 1000)
    #expect(kept.count == 502 && kept.last == slot(0, .queued) && kept.first == slot(700, .skipped))
  }

  @Test func `a pause stays over what is settled, and the first one counts`() async throws {
    let store = try StateStore.inMemory()
    try await store.pause(schedule: "fx", at: Fixture.noon)
    try await store.pause(schedule: "fx", at: Fixture.noon + 60)
    _ = try await store.record([], marks: [mark(1)])
    #expect(try await store.reader.scheduleMarks()["fx"]?.paused == Fixture.noon)
    try await store.resume(schedule: "fx", at: Fixture.noon + 7200)
    #expect(try await store.reader.scheduleMarks() == ["fx": mark(2)])
  }
}
