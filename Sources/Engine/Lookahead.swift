import Core
import DequeModule
import Store

/// Runs whose first attempt is recorded before a place is free for them, and those whose end is being recorded: what
/// is active and takes no place.
struct Lookahead {
  typealias Begun = (entry: RunQueue.Entry, cancellation: Cancellation)

  private enum Phase {
    /// Nothing of it runs yet.
    case ahead
    /// Nothing of it runs any more.
    case ending(since: ContinuousClock.Instant)
  }

  private var begun: Deque<Begun> = []
  private var phases: [RunID: Phase] = [:]
  private var foresight = Foresight()
  private var isRecording = false

  /// Runs that take no place.
  var placeless: Int { phases.count }

  /// Runs that wait for a place with their attempt recorded.
  var count: Int { begun.count }

  /// The next one that gets a place.
  mutating func next() -> Begun? {
    guard let next = begun.popFirst() else { return nil }
    phases[next.entry.id] = nil
    return next
  }

  /// Takes out of the queue those whose first attempt is to be recorded now; `record` them, then `add` them.
  /// - Parameter isLimited: pipelines of which not every run may begin; theirs keep their turn.
  mutating func take(
    from queue: inout RunQueue, places: Int, unless isLimited: (String) -> Bool = { _ in false }
  ) -> [Begun] {
    let depth = foresight.depth(places: places)
    // by halves, so that one commit serves many
    if isRecording || begun.count > depth / 2 { return [] }
    var taken: [Begun] = []
    while begun.count + taken.count < depth, let first = queue.first(unless: isLimited), first.opened == nil,
      first.standing == .fresh,
      first.run.map({ $0.state == .queued }) ?? true, let entry = queue.next(unless: isLimited)
    {
      phases[entry.id] = .ahead
      taken.append((entry, Cancellation()))
    }
    isRecording = !taken.isEmpty
    return taken
  }

  mutating func add(_ recorded: [Begun]) {
    begun.append(contentsOf: recorded)
    isRecording = false
  }

  /// A run gives its place back, for what is left is to record how it ended.
  mutating func letGo(_ run: RunID, heldSince start: ContinuousClock.Instant, now: ContinuousClock.Instant) {
    phases[run] = .ending(since: now)
    foresight.note(held: now - start)
  }

  /// A run is no longer active.
  mutating func leave(_ run: RunID, now: ContinuousClock.Instant) {
    guard case .ending(let since) = phases.removeValue(forKey: run) else { return }
    foresight.note(commit: now - since)
  }
}

extension Lookahead {
  /// Records the first attempts of runs in one transaction; those that something may veto keep their turn as they are.
  static func record(_ taken: [Begun], book: PipelineBook, bench: Workbench) async throws -> [Begun] {
    var lines = LinesAtWork(bench: bench)
    var steps: [Step] = []
    var recorded: [Begun] = []
    for begun in taken {
      var entry = begun.entry
      var run: Run
      if let known = entry.run { run = known } else { run = try await bench.store.reader.run(matching: .id(entry.id)) }
      // held or failed by an interruption, one that never began would be so for nothing
      if let pipeline = book.pipeline(digest: run.version ?? ""), pipeline.stages.first?.onInterrupt == .retry,
        let attempt = Attempt.first(of: run, in: pipeline, bench: bench), try await !lines.mayGoOn(with: run)
      {
        steps.append(Step(run: run.id, at: attempt.started, opened: [attempt]))
        run.state = .running
        run.started = attempt.started
        entry.opened = attempt
      }
      entry.run = run
      recorded.append((entry, begun.cancellation))
    }
    if !steps.isEmpty { try await bench.store.advance(steps) }
    return recorded
  }
}

/// Which pipelines may have a loop at work, each asked for once.
private struct LinesAtWork {
  let bench: Workbench
  private var known: [String: Bool] = [:]

  init(bench: Workbench) { self.bench = bench }

  mutating func mayGoOn(with run: Run) async throws -> Bool {
    if let answer = known[run.pipeline] { return answer }
    var latest = run
    latest.drop?.arrived = bench.now()
    // one that waits for its maker keeps its place: what waits for that place must not look like a maker at work
    let answer = try await bench.store.reader.isInLongLine(latest)
    known[run.pipeline] = answer
    return answer
  }
}
