import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(5))) struct FlowQueueTests {
  @Test func `whoever offers more than it holds waits until something is taken`() async {
    let queue = FlowQueue<Int>(bound: 2, producers: 1)
    for number in [1, 2] { #expect(await queue.offer(number)) }
    async let third = queue.offer(3)
    #expect(await queue.take(1) == [1])
    #expect(await third)
    queue.finish()
    #expect(await queue.take(2) == [2, 3])
    queue.leave(3)
    #expect(await queue.take(1) == nil)
  }

  @Test func `several are given at once, the last of them as many as there are`() async {
    let queue = FlowQueue<Int>(bound: 8, producers: 2)
    async let first = queue.take(3)
    for number in 1...4 { #expect(await queue.offer(number)) }
    #expect(await first == [1, 2, 3])
    queue.leave(3)
    async let rest = queue.take(3)
    queue.finish()
    queue.finish()
    #expect(await rest == [4])
  }

  @Test func `nothing gets lost or comes twice among many who offer and take`() async {
    let queue = FlowQueue<Int>(bound: 5, producers: 4)
    let taken = await withTaskGroup(of: [Int].self) { group in
      for producer in 0..<4 {
        group.addTask {
          for number in 0..<500 where await !queue.offer(producer * 500 + number) { Issue.record("turned away") }
          queue.finish()
          return []
        }
      }
      for _ in 0..<7 {
        group.addTask {
          var own: [Int] = []
          while let some = await queue.take(3) {
            own += some
            queue.leave(some.count)
          }
          return own
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(taken.sorted() == Array(0..<2000))
  }

  @Test func `closing turns everyone away, those who wait too`() async {
    let (full, empty) = (FlowQueue<Int>(bound: 1, producers: 1), FlowQueue<Int>(bound: 1, producers: 1))
    #expect(await full.offer(1))
    async let offered = full.offer(2)
    async let taken = empty.take(1)
    full.close()
    empty.close()
    #expect(await !offered)
    #expect(await taken == nil)
    #expect(await !full.offer(3))
    #expect(await full.take(1) == nil)
  }

  @Test func `of what waits for the same stage the longest so far goes first, and of equals the first`() async {
    let queue = FlowQueue<String>(bound: 9, producers: 1)
    for name in ["a", "b", "c", "d"] { #expect(await queue.offer(name)) }
    for _ in 1...4 { _ = await queue.take(1) }
    queue.finish()
    queue.pass("short", stage: 1, spent: .milliseconds(3))
    queue.pass("long", stage: 1, spent: .milliseconds(9))
    queue.pass("too", stage: 1, spent: .milliseconds(9))
    queue.pass("late", stage: 2, spent: .seconds(9))
    for name in ["long", "too", "short", "late"] { #expect(await queue.take(1) == [name]) }
  }

  @Test func `what is new goes first, then what is inside by its stage, and too much inside lets nothing in`() async {
    let queue = FlowQueue<String>(bound: 9, window: 3, producers: 1)
    for name in ["a", "b", "c", "d"] { #expect(await queue.offer(name)) }
    for name in ["a", "b"] { #expect(await queue.take(1) == [name]) }
    queue.pass("a2", stage: 2)
    queue.pass("b1", stage: 1)
    #expect(await queue.take(1) == ["c"])
    // three are inside
    #expect(await queue.take(1) == ["b1"])
    queue.leave(1)
    #expect(await queue.take(1) == ["d"])
    #expect(await queue.take(1) == ["a2"])
    queue.finish()
    async let end = queue.take(1)
    queue.pass("c1", stage: 1)
    #expect(await end == ["c1"])
    queue.leave(3)
    #expect(await queue.take(1) == nil)
  }
}
