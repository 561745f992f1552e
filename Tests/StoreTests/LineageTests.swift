import Core
import Foundation
import Store
import Testing

/// Whose twin and whose child a drop is.
@Suite struct LineageTests {
  private let noon = Fixture.noon

  private func drop(
    _ n: Int, _ digest: String, arrived: Double, pipeline: String = "fx", parent: RunID? = nil
  ) -> Run {
    var run = Fixture.run(n, pipeline: pipeline)
    run.drop?.sha256 = digest
    run.drop?.arrived = noon.addingTimeInterval(arrived)
    run.parent = parent
    return run
  }

  /// Claims, works and ends a run from `from` to `to`, seconds after noon.
  private func work(
    _ store: StateStore, _ run: Run, from: Double, to: Double, leaving digest: String? = nil,
    state: RunState = .done
  ) async throws -> Run {
    let recorded = try await store.claim([NewRun(run)])[0]
    var attempt = Fixture.attempt(run.id)
    attempt.started = noon.addingTimeInterval(from)
    try await store.begin(run.id, attempt: attempt, at: noon.addingTimeInterval(from))
    attempt.state = .ok
    attempt.ended = noon.addingTimeInterval(to)
    let artifacts = digest.map { [Artifact(stage: "train", name: "m", path: "m", bytes: 1, sha256: $0)] } ?? []
    try await store.advance(
      Step(
        run: run.id, at: noon.addingTimeInterval(to), closed: [attempt], artifacts: artifacts,
        turn: .ends(RunEnding(state))))
    return recorded
  }

  @Test func `I07 the same content again is a duplicate of the first that was done, in its own pipeline`() async throws
  {
    let store = try StateStore.inMemory()
    _ = try await work(store, drop(1, "aa", arrived: -1), from: 0, to: 1, state: .failed)
    let second = try await work(store, drop(2, "aa", arrived: 100), from: 101, to: 102)
    let third = try await work(store, drop(3, "aa", arrived: 200), from: 201, to: 202)
    let other = try await work(store, drop(4, "aa", arrived: 300, pipeline: "other"), from: 301, to: 302)
    let fourth = try await store.claim([NewRun(drop(5, "aa", arrived: 400))])[0]
    #expect(second.duplicateOf == nil && other.duplicateOf == nil)
    #expect(third.duplicateOf == second.id && fourth.duplicateOf == second.id)
    #expect(try await store.reader.twin(of: fourth)?.number == 2)
    #expect(try await store.reader.run(matching: .number(5)) == fourth)
  }

  @Test func `I07 a digest that comes after the claim says the same, and what is retried is no duplicate`() async throws
  {
    let store = try StateStore.inMemory()
    let first = try await work(store, drop(1, "aa", arrived: -1), from: 0, to: 1)
    var late = drop(2, "aa", arrived: 100)
    late.drop?.sha256 = nil
    #expect(try await store.claim([NewRun(late)])[0].duplicateOf == nil)
    #expect(try await store.setDigest(late.id, sha256: "aa").duplicateOf == first.id)
    #expect(try await store.reader.run(matching: .id(late.id)).duplicateOf == first.id)
    var again = drop(3, "aa", arrived: 200)
    again.rerunOf = first.id
    #expect(try await store.claim([NewRun(again)])[0].duplicateOf == nil)
  }

  @Test func `I27 a drop that a run had made when it came is that run's child, one it was given is not`() async throws {
    let store = try StateStore.inMemory()
    let maker = try await work(store, drop(1, "in", arrived: -1), from: 0, to: 10, leaving: "out")
    let children = try await store.claim([
      NewRun(drop(2, "out", arrived: 9)), NewRun(drop(3, "in", arrived: 5)), NewRun(drop(4, "out", arrived: 60)),
      NewRun(drop(5, "in", arrived: -60)), NewRun(drop(6, "else", arrived: 5)),
    ])
    #expect(children.map(\.parent) == [maker.id, nil, nil, nil, nil])
  }

  @Test func `I27 equal files dropped while others of them are worked, and handed on unchanged, are no line`()
    async throws
  {
    let store = try StateStore.inMemory()
    for n in 1...20 {
      let run = try await work(
        store, drop(n, "same", arrived: Double(n)), from: Double(n), to: Double(n) + 1.5, leaving: "same")
      #expect(run.parent == nil)
      #expect(try await store.reader.run(matching: .id(run.id)).parent == nil)
    }
  }

  @Test func `I27 a child gets no attempt with its claim, and is found also before its maker's stage ended`()
    async throws
  {
    let store = try StateStore.inMemory()
    let maker = try await store.claim([NewRun(drop(1, "in", arrived: -1))])[0]
    try await store.begin(maker.id, attempt: Fixture.attempt(maker.id), at: noon)
    let early = drop(2, "out", arrived: 3)
    let claimed = try await store.claim([NewRun(early, attempt: Fixture.attempt(early.id))])[0]
    #expect(claimed.parent == nil && claimed.state == .running)
    try await store.advance(
      Step(
        run: maker.id, at: noon.addingTimeInterval(5), closed: [Fixture.attempt(maker.id, state: .ok, wall: 1)],
        artifacts: [Artifact(stage: "train", name: "m", path: "m", bytes: 1, sha256: "out")],
        turn: .ends(RunEnding(.done))))
    #expect(try await store.reader.run(matching: .id(early.id)).parent == maker.id)
    let late = drop(3, "out", arrived: 4)
    let child = try await store.claim([NewRun(late, attempt: Fixture.attempt(late.id))])[0]
    #expect(child.parent == maker.id && child.state == .queued)
    #expect(try await store.reader.attempts(of: late.id).isEmpty)
  }

  @Test func `I27 what came while the last of a long line was at work gets no attempt, and may be its child`()
    async throws
  {
    let store = try StateStore.inMemory()
    var above: RunID?
    for n in 1...Lineage.deepest {
      above = try await work(store, drop(n, "d\(n)", arrived: 0, parent: above), from: 1, to: 2).id
    }
    let last = drop(10, "x", arrived: 3, parent: above)
    _ = try await store.claim([NewRun(last)])
    var attempt = Fixture.attempt(last.id)
    try await store.begin(last.id, attempt: attempt, at: noon.addingTimeInterval(4))

    var before = drop(11, "before", arrived: 3)
    var next = drop(12, "next", arrived: 5)
    let other = drop(13, "other", arrived: 5, pipeline: "other")
    for run in [before, next, other] {
      let opened = Fixture.attempt(run.id)
      let recorded = try await store.claim([NewRun(run, attempt: opened)])[0]
      #expect((recorded.state == .running) == (run.id != next.id))
    }
    before = try await store.reader.run(matching: .id(before.id))
    next = try await store.reader.run(matching: .id(next.id))
    #expect(try await store.reader.mayEndLine(next))
    #expect(try await !store.reader.mayEndLine(before))
    attempt.state = .ok
    attempt.ended = noon.addingTimeInterval(6)
    let made = Artifact(stage: "train", name: "m", path: "m", bytes: 1, sha256: "next")
    try await store.advance(
      Step(
        run: last.id, at: noon.addingTimeInterval(6), closed: [attempt], artifacts: [made],
        turn: .ends(RunEnding(.done))))
    // that of a looping pipeline too whose own maker is not known yet
    #expect(try await store.reader.mayEndLine(next))
    try await store.advance(
      Step(
        run: before.id, at: noon.addingTimeInterval(7), closed: [Fixture.attempt(before.id, state: .ok, wall: 1)],
        turn: .ends(RunEnding(.done))))
    #expect(try await !store.reader.mayEndLine(next))
    #expect(try await store.reader.run(matching: .id(next.id)).parent == last.id)
    #expect(try await store.reader.ancestors(of: next.id, limit: 20).count > Lineage.deepest)
  }

  @Test func `I27 the line of a drop is told from its parent on`() async throws {
    let store = try StateStore.inMemory()
    var line: [Run] = []
    for n in 1...6 { line += try await store.claim([NewRun(drop(n, "\(n)", arrived: 0, parent: line.last?.id))]) }
    #expect(try await store.reader.ancestors(of: line[5].id, limit: 9) == line.dropLast().reversed().map(\.id))
    #expect(try await store.reader.ancestors(of: line[5].id, limit: 2).count == 2)
    #expect(try await store.reader.ancestors(of: line[0].id, limit: 2).isEmpty)
  }

  @Test func `I25 a copy remembers its source until that is gone, and a kept file is known again`() async throws {
    let store = try StateStore.inMemory()
    let sample = FileSample(device: .max, inode: .max - 1, bytes: 7, links: 1, modified: 5, changed: 9)
    var kept = drop(2, "kk", arrived: 0)
    kept.drop?.bytes = 7
    kept.drop?.modified = 5
    let runs = try await store.claim([
      NewRun(drop(1, "aa", arrived: 0), source: .leaving(sample)), NewRun(kept, source: .kept),
    ])
    let left = try await store.reader.leavingSources()
    #expect(left.map(\.run) == [runs[0]] && left.allSatisfy { $0.sample.isSameContent(as: sample) })
    try await store.sourcesRemoved([runs[0].id])
    #expect(try await store.reader.leavingSources().isEmpty)
    let name = try #require(kept.drop?.name)
    #expect(try await store.reader.keeper(of: name, sample) == kept.id)
    #expect(try await store.reader.keeper(of: FileName("other"), sample) == nil)
    var newer = sample
    newer.modified = 6
    #expect(try await store.reader.keeper(of: name, newer) == nil)
  }
}
