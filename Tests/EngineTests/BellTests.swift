import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(5))) struct BellTests {
  private let clock = ContinuousClock()

  @Test func `a ring before the wait is not lost, and two are one`() async {
    let bell = Bell()
    bell.ring()
    bell.ring()
    await bell.wait(atMost: nil, on: clock)
    let begun = clock.now
    await bell.wait(atMost: .milliseconds(30), on: clock)
    #expect(clock.now - begun >= .milliseconds(25))
  }

  @Test func `a ring wakes who waits without a limit`() async {
    let bell = Bell()
    await withTaskGroup { group in
      group.addTask { await bell.wait(atMost: nil, on: ContinuousClock()) }
      group.addTask { bell.ring() }
    }
  }

  @Test func `a cancelled task waits no longer`() async {
    let bell = Bell()
    await withTaskGroup { group in
      group.addTask { await bell.wait(atMost: nil, on: ContinuousClock()) }
      group.addTask { await bell.wait(atMost: .seconds(3600), on: ContinuousClock()) }
      group.cancelAll()
    }
  }

  @Test func `of many rings by many none leaves the waiter asleep`() async {
    let bell = Bell()
    await withTaskGroup { group in
      group.addTask { for _ in 0..<2000 { await bell.wait(atMost: .milliseconds(50), on: ContinuousClock()) } }
      for _ in 0..<2 {
        group.addTask {
          for _ in 0..<20_000 {
            bell.ring()
            await Task.yield()
          }
        }
      }
    }
  }
}
