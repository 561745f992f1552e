import Core

/// The workers of one program and the calls they have, as values: what is to be done about them comes out as orders.
///
/// Times are CLOCK_MONOTONIC in nanoseconds. Workers, calls and the ids on the wire are numbers that never come again;
/// a call that is sent again gets a new id.
struct WorkerCrew {
  enum Order: Equatable {
    case start(worker: Int)
    case send(call: Int, id: Int, worker: Int)
    /// It gets no more calls: close its stdin.
    case dismiss(worker: Int)
    /// End its whole tree.
    case end(worker: Int)
    case finish(call: Int, Finish)
  }

  /// What a call comes to.
  enum Finish: Equatable {
    case answered
    /// Its answer is longer than it may be.
    case cut
    case timeout
    case cancelled
    /// There is no answer, why not, and what came instead.
    case spoiled(String, line: [UInt8] = [])
    /// As its worker ended, which had no answer for it.
    case asItsWorker
  }

  /// How a worker ended.
  enum End: Equatable {
    /// It may have been chance: its calls are sent again.
    case died
    /// It said that no other try will help, or not now.
    case gaveUp
    case unstarted(isShortage: Bool)
    case lost
  }

  struct Worker {
    /// The calls in flight by their ids.
    var calls: [Int: Int] = [:]
    let begun: Int64
    var taken = 0
    var idleSince: Int64
    /// Gets no more calls.
    var isLeaving = false
    /// Its stdin is closed.
    var isDismissed = false
    /// Its tree is told to end.
    var isEnding = false
    /// Its tree is to end then, if it is still there.
    var endAt: Int64?
    /// Why it could not go on although it lived.
    var complaint: String?
    /// It is ended for one of its calls, and the others can do nothing for it.
    var isEndedForOne = false
  }

  struct Call {
    let timeout: Int64?
    var sends = 0
    var worker: Int?
    var deadline: Int64?
    /// What it comes to once its worker is gone.
    var fate: Finish?
  }

  /// A call whose workers died is sent so often.
  static let mostSends = 3
  /// From the end of its stdout to the end of its tree; mostly it is ending anyway.
  static let patience: Int64 = 1_000_000_000
  /// Where the machine had no room for another worker, the next try to start one comes so much later.
  static let breath: Int64 = 2_000_000_000

  let rules: WorkerRules
  /// A worker that has had nothing to do for so long is let go.
  let rest: Int64
  /// From the end of its stdin to the end of its tree.
  let grace: Int64
  var workers: [Int: Worker] = [:]
  var calls: [Int: Call] = [:]
  /// Calls no worker has room for, the first first.
  private var waiting = CallQueue()
  private var nextWorker = 1
  private var nextID = 1
  private var noGrowthBefore: Int64 = 0
  /// The program has changed: workers end as soon as they have nothing to do.
  private(set) var isRetired = false
  /// When `tick` is to be called at the latest.
  private(set) var due: Int64?

  init(rules: WorkerRules, grace: Duration, rest: Duration) {
    self.rules = rules
    self.rest = rest.nanoseconds
    self.grace = grace.nanoseconds
  }

  var isEmpty: Bool { workers.isEmpty && calls.isEmpty }

  /// The call that a worker's log lines are given to: the oldest in flight.
  func oldestCall(of worker: Int) -> Int? {
    guard let calls = workers[worker]?.calls, let first = calls.keys.min() else { return nil }
    return calls[first]
  }

  mutating func enter(call: Int, timeout: Int64?, now: Int64) -> [Order] {
    var orders: [Order] = []
    calls[call] = Call(timeout: timeout)
    if !waiting.isEmpty || !place(call, now, &orders) { waiting.append(call) }
    return orders
  }

  /// A worker answered; `nil` where it has no call of this id.
  /// - Parameter resident: its resident set, bytes, where somebody looked.
  mutating func answered(worker id: Int, id wire: Int, resident: Int?, now: Int64) -> [Order]? {
    guard let call = workers[id]?.calls.removeValue(forKey: wire), let begun = workers[id]?.begun else { return nil }
    calls[call] = nil
    if let resident, resident > rules.memory { workers[id]?.isLeaving = true }
    if now - begun >= rules.age.nanoseconds { workers[id]?.isLeaving = true }
    workers[id]?.idleSince = now
    var orders = [Order.finish(call: call, .answered)]
    // first, for it may be in the way of a new one
    settle(id, now, &orders)
    feed(now, &orders)
    settle(id, now, &orders)
    return orders
  }

  /// A worker wrote what is no reply to any of its calls: whose it was to be nobody knows.
  mutating func spoiled(worker: Int, _ finish: Finish, of wire: Int? = nil) -> [Order] {
    guard let calls = workers[worker]?.calls else { return [] }
    let spoiled = wire.flatMap { calls[$0] }.map { [$0] } ?? Array(calls.values)
    for call in spoiled where self.calls[call]?.fate == nil { self.calls[call]?.fate = finish }
    workers[worker]?.isEndedForOne = true
    return end(worker)
  }

  /// A worker reads or writes no more, and may be about to end.
  mutating func closed(worker: Int, _ complaint: String, now: Int64) {
    guard workers[worker]?.isEnding == false else { return }
    workers[worker]?.isLeaving = true
    workers[worker]?.complaint = complaint
    workers[worker]?.endAt = now + Self.patience
    note(now + Self.patience)
  }

  mutating func cancel(call: Int) -> [Order] {
    guard let worker = calls[call]?.worker else {
      return calls.removeValue(forKey: call) == nil ? [] : [.finish(call: call, .cancelled)]
    }
    if calls[call]?.fate == nil { calls[call]?.fate = .cancelled }
    workers[worker]?.isEndedForOne = true
    return end(worker)
  }

  /// A worker and its whole tree are gone.
  mutating func ended(worker id: Int, _ how: End, now: Int64) -> [Order] {
    guard let worker = workers.removeValue(forKey: id) else { return [] }
    var orders: [Order] = []
    var again: [Int] = []
    if how == .unstarted(isShortage: true) { noGrowthBefore = now + Self.breath }
    for (_, call) in worker.calls.sorted(by: { $0.key < $1.key }) {
      if let finish = finish(call, of: worker, how) {
        calls[call] = nil
        orders.append(.finish(call: call, finish))
      } else {
        calls[call]?.worker = nil
        calls[call]?.deadline = nil
        again.append(call)
      }
    }
    waiting.putBack(again)
    feed(now, &orders)
    return orders
  }

  /// `nil` where the call is to be sent again.
  private mutating func finish(_ key: Int, of worker: Worker, _ how: End) -> Finish? {
    guard let call = calls[key] else { return nil }
    if let fate = call.fate { return fate }
    switch how {
    case .unstarted(let isShortage):
      // the others get to it
      if isShortage, workers.contains(where: { !$0.value.isLeaving }) {
        calls[key]?.sends -= 1
        return nil
      }
      return .asItsWorker
    case .lost, .gaveUp: return .asItsWorker
    case .died:
      if worker.isEndedForOne {
        calls[key]?.sends -= 1
        return nil
      }
      if call.sends < Self.mostSends { return nil }
      // one that ended of itself says best why
      return worker.isEnding ? worker.complaint.map { .spoiled($0) } ?? .asItsWorker : .asItsWorker
    }
  }

  /// The program has changed.
  mutating func retire(now: Int64) -> [Order] {
    isRetired = true
    var orders: [Order] = []
    for id in workers.keys.sorted() { settle(id, now, &orders) }
    return orders
  }

  /// Does what is due.
  mutating func tick(now: Int64) -> [Order] {
    due = nil
    var orders: [Order] = []
    for id in workers.keys.sorted() {
      for call in workers[id]?.calls.values.sorted() ?? [] {
        guard let deadline = calls[call]?.deadline, calls[call]?.fate == nil else { continue }
        if deadline > now { note(deadline) } else { expire(call, of: id, &orders) }
      }
      if let endAt = workers[id]?.endAt, workers[id]?.isEnding == false {
        if endAt > now { note(endAt) } else { orders += end(id) }
      }
      settle(id, now, &orders)
    }
    feed(now, &orders)
    return orders
  }

  private mutating func expire(_ call: Int, of worker: Int, _ orders: inout [Order]) {
    calls[call]?.fate = .timeout
    workers[worker]?.isEndedForOne = true
    orders += end(worker)
  }
}

extension WorkerCrew {
  /// Gives a call to a worker, a new one if need be; false where there is no room.
  private mutating func place(_ call: Int, _ now: Int64, _ orders: inout [Order]) -> Bool {
    guard let id = roomiest(now, &orders) ?? grow(now, &orders) else { return false }
    let wire = nextID
    nextID += 1
    workers[id]?.calls[wire] = call
    workers[id]?.taken += 1
    if let taken = workers[id]?.taken, taken >= rules.calls { workers[id]?.isLeaving = true }
    calls[call]?.sends += 1
    calls[call]?.worker = id
    if let timeout = calls[call]?.timeout {
      calls[call]?.deadline = now + timeout
      note(now + timeout)
    }
    orders.append(.send(call: call, id: wire, worker: id))
    return true
  }

  /// Of those with as few calls in flight the one used last, so that the others come to rest.
  private mutating func roomiest(_ now: Int64, _ orders: inout [Order]) -> Int? {
    var best: (id: Int, worker: Worker)?
    for (id, worker) in workers where !worker.isLeaving && worker.calls.count < max(1, rules.inFlight) {
      if now - worker.begun >= rules.age.nanoseconds {
        workers[id]?.isLeaving = true
        settle(id, now, &orders)
        continue
      }
      guard let other = best?.worker else {
        best = (id, worker)
        continue
      }
      if (worker.calls.count, -worker.idleSince, id) < (other.calls.count, -other.idleSince, best?.id ?? 0) {
        best = (id, worker)
      }
    }
    return best?.id
  }

  private mutating func grow(_ now: Int64, _ orders: inout [Order]) -> Int? {
    let count = workers.values.count { !$0.isDismissed }
    if let most = rules.most, count >= max(1, most) { return nil }
    if now < noGrowthBefore, count > 0 {
      note(noGrowthBefore)
      return nil
    }
    let id = nextWorker
    nextWorker += 1
    workers[id] = Worker(begun: now, idleSince: now)
    orders.append(.start(worker: id))
    return id
  }

  private mutating func feed(_ now: Int64, _ orders: inout [Order]) {
    while let call = waiting.first {
      // cancelled meanwhile
      if calls[call] == nil {
        waiting.removeFirst()
        continue
      }
      guard place(call, now, &orders) else { return }
      waiting.removeFirst()
    }
  }

  /// Lets a worker go that has nothing to do, and is to go or has had nothing to do for long.
  private mutating func settle(_ id: Int, _ now: Int64, _ orders: inout [Order]) {
    guard let worker = workers[id], worker.calls.isEmpty, !worker.isDismissed, !worker.isEnding else { return }
    let idleUntil = worker.idleSince + rest
    guard worker.isLeaving || isRetired && waiting.isEmpty || now >= idleUntil else { return note(idleUntil) }
    workers[id]?.isLeaving = true
    workers[id]?.isDismissed = true
    workers[id]?.endAt = now + grace
    note(now + grace)
    orders.append(.dismiss(worker: id))
  }

  private mutating func end(_ id: Int) -> [Order] {
    guard workers[id]?.isEnding == false else { return [] }
    workers[id]?.isEnding = true
    workers[id]?.isLeaving = true
    return [.end(worker: id)]
  }

  private mutating func note(_ moment: Int64) { due = min(due ?? .max, moment) }
}

/// Calls in the order in which they came; the front is taken in constant time.
private struct CallQueue {
  private var items: [Int] = []
  private var head = 0

  var isEmpty: Bool { head == items.count }
  var first: Int? { isEmpty ? nil : items[head] }

  mutating func append(_ call: Int) { items.append(call) }

  mutating func removeFirst() {
    head += 1
    if head > 64, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
  }

  mutating func putBack(_ calls: [Int]) {
    if calls.isEmpty { return }
    items.replaceSubrange(0..<head, with: calls)
    head = 0
  }
}
