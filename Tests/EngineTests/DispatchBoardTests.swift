import Core
import Foundation
import Synchronization
import Testing

@testable import Engine

/// Which runs begin, among places, limits of pipelines and stages that are full.
@Suite struct DispatchBoardTests {
  private func run(_ n: UInt64, _ pipeline: String = "fx") -> Run {
    var run = Nouns.run(n)
    run.pipeline = pipeline
    return run
  }

  private func limits(places: Int, of pipelines: [String: Int] = [:], isOpen: Bool = true) -> DispatchBoard.Limits {
    DispatchBoard.Limits(
      places: places, ofPipeline: { pipelines[$0] }, isOpen: { _, _ in isOpen }, priority: { _ in 3 })
  }

  private func begun(_ board: inout DispatchBoard, _ limits: DispatchBoard.Limits) -> [Int] {
    board.takeStartable(at: Nouns.noon, .zero, limits).begun.map { $0.entry.run?.number ?? 0 }
  }

  @Test func `no more begin than there are places, and the next when one leaves`() {
    var board = DispatchBoard()
    for n in 1...3 { board.queue.add(RunQueue.Entry(run: run(UInt64(n)), priority: 0)) }
    let two = limits(places: 2)
    #expect(begun(&board, two) == [1, 2] && begun(&board, two) == [])
    board.leave(Nouns.id(1))
    #expect(begun(&board, two) == [3] && board.atWork == 2)
  }

  @Test func `a pipeline that is full is passed over by those that are not`() {
    var board = DispatchBoard()
    for n in 1...3 { board.queue.add(RunQueue.Entry(run: run(UInt64(n), "slow"), priority: 9)) }
    board.queue.add(RunQueue.Entry(run: run(4, "other"), priority: 0))
    let some = limits(places: 4, of: ["slow": 1])
    #expect(begun(&board, some) == [1, 4])
    board.leave(Nouns.id(1))
    #expect(begun(&board, some) == [2])
  }

  @Test func `a run whose program waits for another lends its place`() {
    var board = DispatchBoard()
    for n in 1...2 { board.queue.add(RunQueue.Entry(run: run(UInt64(n)), priority: 0)) }
    let one = limits(places: 1)
    #expect(begun(&board, one) == [1])
    let lends = board.lend(placeOf: Nouns.id(1))
    #expect(lends && begun(&board, one) == [2])
    board.takeBack(placeOf: Nouns.id(1))
    board.leave(Nouns.id(2))
    board.queue.add(RunQueue.Entry(run: run(3), priority: 0))
    #expect(begun(&board, one) == [])
  }

  @Test func `a second attempt of a run takes a place from the runs that come`() {
    var board = DispatchBoard()
    board.queue.add(RunQueue.Entry(run: run(1), priority: 0))
    let two = limits(places: 2)
    #expect(begun(&board, two) == [1] && board.free(places: 2) == 1)
    board.extras = 1
    board.queue.add(RunQueue.Entry(run: run(2), priority: 0))
    #expect(begun(&board, two) == [])
    board.extras = 0
    #expect(begun(&board, two) == [2])
  }

  @Test func `of those that wait for a stage one is let in when there is room`() {
    var board = DispatchBoard()
    let key = Turnstile.Key(pipeline: "fx", stage: "gpu")
    for n in 1...2 { board.crowded.append(crowded(UInt64(n), key)) }
    #expect(board.knows(Nouns.id(2)) && !board.isQuiet)
    #expect(begun(&board, limits(places: 4, isOpen: false)) == [])
    #expect(begun(&board, limits(places: 4)) == [1] && board.crowded.count == 1)
    #expect(board.takeCrowded(Nouns.id(2))?.id == Nouns.id(2) && board.takeCrowded(Nouns.id(2)) == nil)
  }

  private func crowded(_ n: UInt64, _ key: Turnstile.Key, until: Date? = nil) -> DispatchBoard.Crowded {
    DispatchBoard.Crowded(entry: RunQueue.Entry(run: run(n), priority: 0), key: key, limit: 1, until: until)
  }

  @Test func `one that waits for a stage goes on when the time of another stage has come`() {
    var board = DispatchBoard()
    let key = Turnstile.Key(pipeline: "fx", stage: "gpu")
    board.crowded = [crowded(1, key, until: Nouns.noon + 5)]
    let full = limits(places: 4, isOpen: false)
    let early = board.takeStartable(at: Nouns.noon, .zero, full)
    #expect(early.begun.isEmpty && early.wake == .seconds(5))
    #expect(board.takeStartable(at: Nouns.noon + 5, .zero, full).begun.count == 1)
  }

  @Test func `a run whose time has come queues with the priority of its pipeline`() {
    var board = DispatchBoard()
    board.parked.add(run(1), until: Nouns.noon, isDeferred: false, at: Nouns.noon, .zero)
    board.queue.add(RunQueue.Entry(run: run(2), priority: 1))
    #expect(begun(&board, limits(places: 1)) == [1])
  }
}

/// What lets attempts begin.
@Suite struct TurnstileTests {
  private let key = Turnstile.Key(pipeline: "p", stage: "s")
  private let other = Turnstile.Key(pipeline: "p", stage: "t")

  @Test func `a limited stage lets in as many as it may, and tells when one leaves`() async {
    let turnstile = Turnstile()
    let told = Mutex(0)
    turnstile.serve(Turnstile.Places(take: { true }, giveBack: {})) { told.withLock { $0 += 1 } }
    #expect(turnstile.enter(key, limit: 2) && turnstile.enter(key, limit: 2))
    #expect(!turnstile.enter(key, limit: 2) && !turnstile.isOpen(key, limit: 2))
    #expect(turnstile.enter(other, limit: 2) && turnstile.enter(key, limit: nil))
    let bell = Bell()
    turnstile.tell(bell)
    turnstile.leave(key)
    await bell.wait(atMost: nil, on: ContinuousClock())
    #expect(turnstile.isOpen(key, limit: 2) && turnstile.isOpen(key, limit: nil) && told.withLock { $0 } == 1)
  }

  @Test func `one more attempt of a run takes a place of the agent, and gives it back`() async {
    let turnstile = Turnstile()
    let free = Mutex(1)
    turnstile.serve(
      Turnstile.Places(
        take: {
          free.withLock { free in
            defer { free = max(0, free - 1) }
            return free > 0
          }
        }, giveBack: { free.withLock { $0 += 1 } })
    ) {}
    #expect(turnstile.takePlace() && !turnstile.takePlace())
    let bell = Bell()
    turnstile.tell(bell)
    turnstile.giveBackPlace()
    await bell.wait(atMost: nil, on: ContinuousClock())
    #expect(turnstile.takePlace())
  }
}

@Suite struct WorkedTimeTests {
  @Test func `attempts at the same time count once, and waiting does not count`() {
    func attempt(_ from: Double, _ to: Double) -> Attempt {
      var attempt = Nouns.attempt("a", 1, .ok)
      attempt.started = Nouns.noon + from
      attempt.ended = Nouns.noon + to
      return attempt
    }
    #expect(WorkedTime.of([attempt(0, 10), attempt(5, 8), attempt(9, 12), attempt(100, 103)]) == .seconds(15))
    #expect(WorkedTime.of([]) == .zero)
  }
}
