import Core
import Foundation

/// Which runs wait, which are at work, and which begin next; `Dispatcher` does what it says.
struct DispatchBoard {
  typealias Begun = Lookahead.Begun

  /// What bounds how many runs are at work.
  struct Limits {
    /// Runs at the same time.
    var places: Int
    /// Runs of one pipeline; `nil` where it has no limit of its own.
    var ofPipeline: (String) -> Int?
    /// Whether a stage that is limited lets another attempt in.
    var isOpen: (Turnstile.Key, Int) -> Bool
    var priority: (Run) -> Int
  }

  /// A run that waits until an attempt of a limited stage leaves.
  struct Crowded {
    var entry: RunQueue.Entry
    var key: Turnstile.Key
    var limit: Int
    /// When it may go on all the same, with another stage.
    var until: Date?
  }

  private struct Active {
    var cancellation: Cancellation
    var pipeline: String
  }

  var queue = RunQueue()
  private var active: [RunID: Active] = [:]
  /// Runs at work of each pipeline.
  private var busy: [String: Int] = [:]
  var crowded: [Crowded] = []
  var parked = Parking()
  /// Waiting runs that a person cancelled: their after-hooks are owed, whether a place is free or not.
  var cancelled: [Begun] = []
  /// Places promised to runs whose first attempt a claim records.
  var promised = 0
  /// Places of runs that have several attempts at work, beside their own.
  var extras = 0
  var lookahead = Lookahead()
  var isDraining = false
  /// Runs whose own programs wait for other runs, and how many do: their places go to others meanwhile.
  private var lenders: [RunID: Int] = [:]

  /// Runs at work.
  var atWork: Int { active.count }

  /// Runs that take a place.
  private var placed: Int {
    extras + max(0, active.count - lookahead.placeless - lenders.keys.count { active[$0] != nil })
  }

  func free(places: Int) -> Int { places - placed - promised - queue.count - lookahead.count }

  /// The runs it has in hand.
  var known: Set<RunID> {
    Set(active.keys).union(parked.ids).union(queue.ids).union(crowded.map(\.entry.id))
  }

  func knows(_ id: RunID) -> Bool {
    active[id] != nil || parked.contains(id) || queue.contains(id) || crowded.contains { $0.entry.id == id }
  }

  /// Whether nothing is at work or waits for anything but its time.
  var isQuiet: Bool { active.isEmpty && queue.count == 0 && promised == 0 && crowded.isEmpty }

  /// Whether runs are at work, or would be if there were places.
  var isAtWork: Bool { !active.isEmpty || promised > 0 || queue.count > 0 }

  /// Nothing more is to come of it.
  var isDrained: Bool { isDraining && active.isEmpty && promised == 0 }

  func cancellation(of id: RunID) -> Cancellation? { active[id]?.cancellation }

  var cancellations: [Cancellation] { active.values.map(\.cancellation) }

  mutating func begin(_ entry: RunQueue.Entry, _ cancellation: Cancellation = Cancellation()) -> Begun {
    active[entry.id] = Active(cancellation: cancellation, pipeline: entry.pipeline)
    busy[entry.pipeline, default: 0] += 1
    return (entry, cancellation)
  }

  mutating func leave(_ id: RunID) {
    guard let left = active.removeValue(forKey: id), let count = busy[left.pipeline] else { return }
    busy[left.pipeline] = count > 1 ? count - 1 : nil
  }

  /// - Returns: whether the run has a place to lend.
  mutating func lend(placeOf id: RunID) -> Bool {
    guard active[id] != nil else { return false }
    lenders[id, default: 0] += 1
    return true
  }

  mutating func takeBack(placeOf id: RunID) {
    guard let count = lenders[id] else { return }
    lenders[id] = count > 1 ? count - 1 : nil
  }

  mutating func takeCrowded(_ id: RunID) -> RunQueue.Entry? {
    crowded.firstIndex { $0.entry.id == id }.map { crowded.remove(at: $0).entry }
  }

  /// Takes what begins now, and how long until there may be more.
  mutating func takeStartable(
    at now: Date, _ monotonic: Duration, _ limits: Limits
  ) -> (begun: [Begun], wake: Duration?) {
    var begun = cancelled
    cancelled = []
    if isDraining { return (begun + takeOpened(), nil) }
    for run in parked.takeDue(at: now, monotonic) {
      queue.add(RunQueue.Entry(run: run, priority: limits.priority(run)))
    }
    requeueCrowded(at: now, limits)
    while placed + promised < limits.places || queue.hasOpened {
      if !queue.hasOpened, let next = lookahead.next() {
        begun.append(next)
        continue
      }
      let busy = busy
      let entry = queue.next { pipeline in limits.ofPipeline(pipeline).map { busy[pipeline, default: 0] >= $0 } ?? false
      }
      guard let entry else { break }
      if entry.opened != nil { promised -= 1 }
      begun.append(begin(entry))
    }
    let waits =
      [parked.nextWait(at: now, monotonic)].compactMap { $0 }
      + crowded.compactMap { $0.until.map { .seconds($0.timeIntervalSince(now)) } }
    return (begun, waits.min().map { max(.milliseconds(1), $0) })
  }

  /// What is recorded as begun is recorded as interrupted.
  private mutating func takeOpened() -> [Begun] {
    var begun: [Begun] = []
    while queue.hasOpened, let entry = queue.next() {
      promised -= 1
      begun.append(begin(entry))
    }
    while let next = lookahead.next() { begun.append(next) }
    for (_, cancellation) in begun { cancellation.cancel(.shutdown) }
    return begun
  }

  /// One run for each stage that has room again, the oldest; another is let in when that one has had its turn.
  private mutating func requeueCrowded(at now: Date, _ limits: Limits) {
    var served: Set<Turnstile.Key> = []
    var left: [Crowded] = []
    for waiting in crowded {
      let isDue = waiting.until.map { $0 <= now } ?? false
      if isDue || limits.isOpen(waiting.key, waiting.limit) && served.insert(waiting.key).inserted {
        queue.add(waiting.entry)
      } else {
        left.append(waiting)
      }
    }
    crowded = left
  }

  /// Takes runs whose first attempt is to be recorded before a place is free; none of a pipeline that has a limit.
  mutating func takeForeseen(_ limits: Limits) -> [Begun] {
    if isDraining { return [] }
    let taken = lookahead.take(from: &queue, places: limits.places) { limits.ofPipeline($0) != nil }
    for (entry, cancellation) in taken { _ = begin(entry, cancellation) }
    return taken
  }
}
