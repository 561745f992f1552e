import Core
import Testing

@testable import Host

/// What a crew orders, with no process and no clock.
@Suite struct WorkerCrewTests {
  private static let second: Int64 = 1_000_000_000

  private func crew(_ rules: WorkerRules = WorkerRules(most: 1)) -> WorkerCrew {
    WorkerCrew(rules: rules, grace: .seconds(5), rest: .seconds(60))
  }

  @Test func `a worker is started when all others are busy, and never more than may be`() {
    var crew = crew(WorkerRules(most: 2))
    #expect(
      crew.enter(call: 1, timeout: nil, now: 0) == [.start(worker: 1), .send(call: 1, id: 1, worker: 1)])
    #expect(
      crew.enter(call: 2, timeout: nil, now: 0) == [.start(worker: 2), .send(call: 2, id: 2, worker: 2)])
    #expect(crew.enter(call: 3, timeout: nil, now: 0) == [])
    #expect(
      crew.answered(worker: 2, id: 2, resident: nil, now: 1)
        == [.finish(call: 2, .answered), .send(call: 3, id: 3, worker: 2)])
    #expect(crew.answered(worker: 1, id: 1, resident: nil, now: 2) == [.finish(call: 1, .answered)])
    // of two with nothing to do the one that was busy last
    #expect(crew.answered(worker: 2, id: 3, resident: nil, now: 3) == [.finish(call: 3, .answered)])
    #expect(crew.enter(call: 4, timeout: nil, now: 4) == [.send(call: 4, id: 4, worker: 2)])
  }

  @Test func `a worker gets as many calls as it may have in hand`() {
    var crew = crew(WorkerRules(inFlight: 3, most: 1))
    for call in 1...3 { _ = crew.enter(call: call, timeout: nil, now: 0) }
    #expect(crew.enter(call: 4, timeout: nil, now: 0) == [])
    #expect(crew.workers.count == 1)
    #expect(crew.oldestCall(of: 1) == 1)
    // in any order
    #expect(
      crew.answered(worker: 1, id: 2, resident: nil, now: 1)
        == [.finish(call: 2, .answered), .send(call: 4, id: 4, worker: 1)])
    #expect(crew.answered(worker: 1, id: 2, resident: nil, now: 1) == nil)
    #expect(crew.answered(worker: 1, id: 99, resident: nil, now: 1) == nil)
  }

  @Test func `a call whose worker died goes to another one, and after three to none`() {
    var crew = crew()
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    #expect(crew.ended(worker: 1, .died, now: 1) == [.start(worker: 2), .send(call: 1, id: 2, worker: 2)])
    #expect(crew.ended(worker: 2, .died, now: 2) == [.start(worker: 3), .send(call: 1, id: 3, worker: 3)])
    #expect(
      crew.ended(worker: 3, .died, now: 3)
        == [.finish(call: 1, .asItsWorker), .start(worker: 4), .send(call: 2, id: 4, worker: 4)])
  }

  @Test func `a worker that gave up, or was lost, is not replaced for its call`() {
    for end in [WorkerCrew.End.gaveUp, .lost, .unstarted(isShortage: false), .unstarted(isShortage: true)] {
      var crew = crew()
      _ = crew.enter(call: 1, timeout: nil, now: 0)
      #expect(crew.ended(worker: 1, end, now: 1) == [.finish(call: 1, .asItsWorker)])
      #expect(crew.isEmpty)
    }
  }

  @Test func `a timeout ends the worker; its other calls are sent again when it is gone, as often as need be`() {
    var crew = crew(WorkerRules(inFlight: 2, most: 1))
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    for round in 0..<5 {
      let now = Int64(round) * 10 * Self.second
      _ = crew.enter(call: 10 + round, timeout: Self.second, now: now)
      #expect(crew.due.map { $0 <= now + Self.second } == true)
      #expect(crew.tick(now: now + Self.second) == [.end(worker: round + 1)])
      let orders = crew.ended(worker: round + 1, .died, now: now + Self.second)
      #expect(orders.first == .finish(call: 10 + round, .timeout))
      #expect(orders.dropFirst().first == .start(worker: round + 2))
      #expect(orders.count == 3)
    }
  }

  @Test func `an answer that comes while the worker is being ended still counts`() {
    var crew = crew(WorkerRules(inFlight: 2, most: 1))
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    #expect(crew.cancel(call: 2) == [.end(worker: 1)])
    #expect(crew.cancel(call: 2) == [])
    #expect(crew.answered(worker: 1, id: 1, resident: nil, now: 1) == [.finish(call: 1, .answered)])
    #expect(crew.ended(worker: 1, .died, now: 2) == [.finish(call: 2, .cancelled)])
    #expect(crew.isEmpty)
  }

  @Test func `a call that waits is cancelled at once`() {
    var crew = crew()
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    _ = crew.enter(call: 3, timeout: nil, now: 0)
    #expect(crew.cancel(call: 2) == [.finish(call: 2, .cancelled)])
    #expect(
      crew.answered(worker: 1, id: 1, resident: nil, now: 1)
        == [.finish(call: 1, .answered), .send(call: 3, id: 2, worker: 1)])
  }

  @Test func `what is no reply is the failure of every call in hand`() {
    var crew = crew(WorkerRules(inFlight: 2, most: 1))
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    #expect(crew.spoiled(worker: 1, .spoiled("bad")) == [.end(worker: 1)])
    #expect(
      crew.ended(worker: 1, .died, now: 1)
        == [.finish(call: 1, .spoiled("bad")), .finish(call: 2, .spoiled("bad"))])
  }

  @Test func `a reply that is too long is the failure of its own call`() {
    var crew = crew(WorkerRules(inFlight: 2, most: 1))
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    #expect(crew.spoiled(worker: 1, .cut, of: 2) == [.end(worker: 1)])
    #expect(
      crew.ended(worker: 1, .died, now: 1)
        == [.finish(call: 2, .cut), .start(worker: 2), .send(call: 1, id: 3, worker: 2)])
  }

  @Test func `a worker is replaced after its calls, its age and its memory`() {
    var byCalls = crew(WorkerRules(most: 1, calls: 1))
    _ = byCalls.enter(call: 1, timeout: nil, now: 0)
    _ = byCalls.enter(call: 2, timeout: nil, now: 0)
    #expect(
      byCalls.answered(worker: 1, id: 1, resident: nil, now: 1)
        == [.finish(call: 1, .answered), .dismiss(worker: 1), .start(worker: 2), .send(call: 2, id: 2, worker: 2)])

    var byAge = crew(WorkerRules(most: 1, age: .seconds(10)))
    _ = byAge.enter(call: 1, timeout: nil, now: 0)
    #expect(byAge.answered(worker: 1, id: 1, resident: nil, now: Self.second) == [.finish(call: 1, .answered)])
    #expect(
      byAge.enter(call: 2, timeout: nil, now: 10 * Self.second)
        == [.dismiss(worker: 1), .start(worker: 2), .send(call: 2, id: 2, worker: 2)])

    var byMemory = crew(WorkerRules(most: 1, memory: 1000))
    _ = byMemory.enter(call: 1, timeout: nil, now: 0)
    #expect(byMemory.answered(worker: 1, id: 1, resident: 1000, now: 1) == [.finish(call: 1, .answered)])
    _ = byMemory.enter(call: 2, timeout: nil, now: 2)
    #expect(
      byMemory.answered(worker: 1, id: 2, resident: 1001, now: 3)
        == [.finish(call: 2, .answered), .dismiss(worker: 1)])
  }

  @Test func `a worker rests for its time, and then goes, by force if it must`() {
    var crew = crew()
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.answered(worker: 1, id: 1, resident: nil, now: Self.second)
    #expect(crew.due == 61 * Self.second)
    #expect(crew.tick(now: 60 * Self.second) == [])
    #expect(crew.tick(now: 61 * Self.second) == [.dismiss(worker: 1)])
    #expect(crew.due == 66 * Self.second)
    #expect(crew.tick(now: 66 * Self.second) == [.end(worker: 1)])
    #expect(crew.tick(now: 100 * Self.second) == [])
    #expect(crew.due == nil)
    #expect(crew.ended(worker: 1, .died, now: 100 * Self.second) == [])
    #expect(crew.isEmpty)
  }

  @Test func `workers of a program that changed end with what they have in hand`() {
    var crew = crew(WorkerRules(most: 2))
    for call in 1...3 { _ = crew.enter(call: call, timeout: nil, now: 0) }
    #expect(crew.retire(now: 1) == [])
    #expect(
      crew.answered(worker: 1, id: 1, resident: nil, now: 2)
        == [.finish(call: 1, .answered), .send(call: 3, id: 3, worker: 1)])
    #expect(
      crew.answered(worker: 2, id: 2, resident: nil, now: 3) == [.finish(call: 2, .answered), .dismiss(worker: 2)])
  }

  @Test func `a worker that closed a stream has a moment to end of itself`() {
    var crew = crew()
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    crew.closed(worker: 1, "closed", now: 0)
    #expect(crew.tick(now: WorkerCrew.patience) == [.end(worker: 1)])
    _ = crew.ended(worker: 1, .died, now: Self.second)
    var other = crew
    for worker in 2...3 {
      crew.closed(worker: worker, "closed", now: Self.second)
      other.closed(worker: worker, "closed", now: Self.second)
      #expect(crew.tick(now: Self.second + WorkerCrew.patience) == [.end(worker: worker)])
      let last = crew.ended(worker: worker, .died, now: Self.second)
      let lastOfItself = other.ended(worker: worker, .died, now: Self.second)
      if worker == 3 {
        #expect(last == [.finish(call: 1, .spoiled("closed"))])
        #expect(lastOfItself == [.finish(call: 1, .asItsWorker)])
      }
    }
  }

  @Test func `where there is no room for another worker the calls go to those there are`() {
    var crew = crew(WorkerRules(most: 2))
    _ = crew.enter(call: 1, timeout: nil, now: 0)
    _ = crew.enter(call: 2, timeout: nil, now: 0)
    #expect(crew.ended(worker: 2, .unstarted(isShortage: true), now: 1) == [])
    #expect(
      crew.answered(worker: 1, id: 1, resident: nil, now: 2)
        == [.finish(call: 1, .answered), .send(call: 2, id: 3, worker: 1)])
    _ = crew.enter(call: 3, timeout: nil, now: 3)
    #expect(crew.due.map { $0 <= 1 + WorkerCrew.breath } == true)
    #expect(crew.tick(now: 1 + WorkerCrew.breath) == [.start(worker: 3), .send(call: 3, id: 4, worker: 3)])
  }

  @Test func `CPU time is shared by those in hand, and adds up`() {
    var meter = WorkerMeter()
    meter.advance(to: 1, inFlight: 1)
    let one = meter.share
    meter.advance(to: 3, inFlight: 2)
    let two = meter.share
    meter.advance(to: 10, inFlight: 0)
    meter.advance(to: 9, inFlight: 1)
    #expect(one == 1)
    #expect(two - one == 1)
    #expect(meter.share == two)
  }
}
