import Core
import Testing

@testable import Engine

@Suite struct ForesightTests {
  private func depth(held: Duration, commit: Duration, places: Int = 2) -> Int {
    var foresight = Foresight()
    foresight.note(held: held)
    foresight.note(commit: commit)
    return foresight.depth(places: places)
  }

  @Test func `nothing is recorded ahead before both times are known`() {
    var foresight = Foresight()
    #expect(foresight.depth(places: 4) == 0)
    foresight.note(held: .milliseconds(1))
    #expect(foresight.depth(places: 4) == 0)
  }

  @Test func `short programs have those ahead that begin within two commits, long ones none`() {
    #expect(depth(held: .milliseconds(5), commit: .milliseconds(10)) == 8)
    #expect(depth(held: .milliseconds(5), commit: .milliseconds(10), places: 1) == 4)
    #expect(depth(held: .seconds(1), commit: .milliseconds(10), places: 4) == 0)
    #expect(depth(held: .microseconds(10), commit: .seconds(1)) == 64)
  }

  @Test func `programs that become long are no longer recorded ahead`() {
    var foresight = Foresight()
    foresight.note(commit: .milliseconds(10))
    for _ in 0..<10 { foresight.note(held: .milliseconds(2)) }
    #expect(foresight.depth(places: 2) == 20)
    foresight.note(held: .seconds(30))
    #expect(foresight.depth(places: 2) == 0)
  }

  @Test func `those taken ahead leave the queue in its order, and take no place until they get one`() {
    var queue = RunQueue()
    for n in 1...9 { queue.add(RunQueue.Entry(run: Nouns.run(UInt64(n)), priority: 0)) }
    var lookahead = Lookahead()
    #expect(lookahead.take(from: &queue, places: 2).isEmpty)
    let start = ContinuousClock.now
    lookahead.letGo(Nouns.run(99).id, heldSince: start, now: start + .milliseconds(8))
    #expect(lookahead.placeless == 1)
    lookahead.leave(Nouns.run(99).id, now: start + .milliseconds(18))
    #expect(lookahead.placeless == 0)

    let taken = lookahead.take(from: &queue, places: 2)
    #expect(taken.map(\.entry.run?.number) == [1, 2, 3, 4, 5] && queue.count == 4)
    #expect(lookahead.placeless == 5 && lookahead.count == 0)
    #expect(lookahead.take(from: &queue, places: 2).isEmpty, "one group at a time")
    lookahead.add(taken)
    #expect(lookahead.count == 5)
    #expect(lookahead.next()?.entry.run?.number == 1 && lookahead.placeless == 4)
  }

  @Test func `what is not new keeps its turn in the queue`() {
    var queue = RunQueue()
    var waiting = Nouns.run(1)
    waiting.state = .waiting
    queue.add(RunQueue.Entry(run: waiting, priority: 0))
    queue.add(RunQueue.Entry(run: Nouns.run(2), priority: 0))
    var lookahead = Lookahead()
    let start = ContinuousClock.now
    lookahead.letGo(Nouns.run(99).id, heldSince: start, now: start + .milliseconds(1))
    lookahead.leave(Nouns.run(99).id, now: start + .milliseconds(11))
    #expect(lookahead.take(from: &queue, places: 2).isEmpty && queue.count == 2)
  }
}
