import Core
import Testing

@testable import Engine

@Suite struct RunQueueTests {
  private func entry(_ n: UInt64, _ priority: Int, opened: Bool = false) -> RunQueue.Entry {
    RunQueue.Entry(
      run: Nouns.run(n), priority: priority, opened: opened ? Nouns.attempt("s", 1, .running) : nil)
  }

  @Test func `the higher priority goes first, then the older`() {
    var queue = RunQueue()
    for (n, priority) in [(1, 0), (2, 5), (3, 0), (4, -1), (5, 5)] { queue.add(entry(UInt64(n), priority)) }
    var order: [Int] = []
    while let next = queue.next() { order.append(next.run?.number ?? 0) }
    #expect(order == [2, 5, 1, 3, 4] && queue.count == 0)
  }

  @Test func `a run whose attempt is recorded has its place`() {
    var queue = RunQueue()
    queue.add(entry(1, 1000))
    #expect(!queue.hasOpened)
    queue.add(entry(2, .max, opened: true))
    #expect(queue.hasOpened)
    let first = queue.next()
    #expect(first?.run?.number == 2 && !queue.hasOpened)
  }

  @Test func `one that is taken out is gone`() {
    var queue = RunQueue()
    for n in 1...3 { queue.add(entry(UInt64(n), 0)) }
    #expect(queue.contains(Nouns.id(2)))
    let removed = [queue.remove(Nouns.id(2)), queue.remove(Nouns.id(2))]
    #expect(removed.map { $0?.run?.number } == [2, nil] && !queue.contains(Nouns.id(2)) && queue.count == 2)
    #expect(Set(queue.ids) == [Nouns.id(1), Nouns.id(3)])
  }

  @Test func `I13 of a long queue only the first are held whole, and all come out in order`() {
    var queue = RunQueue()
    for n in 1...5000 { queue.add(entry(UInt64(n), 0)) }
    #expect(queue.contains(Nouns.id(4000)) && queue.ids.count == 5000)
    #expect(queue.remove(Nouns.id(4000))?.id == Nouns.id(4000) && !queue.contains(Nouns.id(4000)))
    var order: [RunID] = []
    var whole = 0
    while let next = queue.next() {
      order.append(next.id)
      if next.run != nil { whole += 1 }
    }
    #expect(order == (1...5000).filter { $0 != 4000 }.map { Nouns.id(UInt64($0)) })
    #expect(whole == 1024 && queue.count == 0)
    queue.add(entry(1, 0))
    let again = queue.next()
    #expect(again?.run != nil)
  }

  @Test func `an ended run is known as one, held whole or not`() {
    var queue = RunQueue()
    for n in 1...2000 {
      var run = Nouns.run(UInt64(n))
      if n % 2 == 0 { run.state = .quarantined }
      queue.add(RunQueue.Entry(run: run, priority: 0))
    }
    #expect(queue.isEnded(Nouns.id(2)) && queue.isEnded(Nouns.id(2000)) && !queue.isEnded(Nouns.id(1999)))
  }
}
