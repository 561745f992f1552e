import Core
import Foundation
import Store
import Synchronization

/// Begins runs by the clock: each slot once, whatever the clock, the machine or the agent do.
///
/// A slot, what became of it and its runs are one transaction. It sleeps until the next slot; that the clock was set
/// or the machine slept rings its bell.
package final class Scheduler: Sendable {
  private struct State {
    var lines: [String: ScheduleLine] = [:]
    /// Whether pipelines, pauses or zones have changed.
    var isStale = true
    var isStopping = false
    /// When the lines were taken up, since the machine started.
    var takenUp: Duration?
    /// The last look, on the wall clock and since the machine started.
    var look: (wall: Date, boot: Duration)?
  }

  /// Slots recorded in one transaction.
  private static let batch = 500
  /// It looks at least so often while there are slots to come, and takes the zones up anew: a machine may not tell that
  /// its clock was set, and never tells of a new tz database.
  private static let longest = Duration.seconds(3600)

  private let bench: Workbench
  private let book: PipelineBook
  private let starter: Starter
  private let zones: any Zones
  private let sinceBoot: @Sendable () -> Duration
  private let queue: @Sendable (Run, PipelineVersion) -> Void
  private let bell: SlotBell
  private let state = Mutex(State())

  /// - Parameters:
  ///   - sinceBoot: a clock that nobody sets and that goes on while the machine sleeps, CLOCK_BOOTTIME.
  ///   - bell: rung when the wall clock was set or the machine woke.
  ///   - queue: gives a recorded run to the dispatcher.
  init(
    bench: Workbench, book: PipelineBook, starter: Starter, zones: any Zones,
    sinceBoot: @escaping @Sendable () -> Duration, bell: SlotBell,
    queue: @escaping @Sendable (Run, PipelineVersion) -> Void
  ) {
    self.bench = bench
    self.book = book
    self.starter = starter
    self.zones = zones
    self.sinceBoot = sinceBoot
    self.bell = bell
    self.queue = queue
  }

  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.bell.ring()
  }

  /// Pipelines, pauses or the zones of the machine may be others than before.
  package func changed() {
    state.withLock { $0.isStale = true }
    bell.bell.ring()
  }

  /// Pauses a schedule, or lets it go on with its next slot.
  /// - Throws: `Starter.Refusal` where no pipeline in force has one.
  package func set(_ pipeline: String, paused: Bool) async throws {
    let scheduled = book.versions.filter { $0.pipeline.trigger.schedule != nil }.map(\.pipeline.name)
    guard scheduled.contains(pipeline) else {
      let hint = scheduled.isEmpty ? "none has one" : Nearest.hint(for: pipeline, among: scheduled, called: "schedules")
      throw Starter.Refusal(
        description: "no pipeline `\(Display.brief(pipeline))` has a schedule" + (hint.map { "; \($0)" } ?? ""))
    }
    if paused {
      try await bench.store.pause(schedule: pipeline, at: bench.now())
    } else {
      try await bench.store.resume(schedule: pipeline, at: bench.now())
    }
    bench.say(.scheduled(paused ? .paused(pipeline) : .resumed(pipeline)))
    changed()
  }

  /// Fires slots until stopped.
  /// - Throws: what the store throws.
  package func run() async throws {
    while true {
      let wait = try await look()
      if state.withLock({ $0.isStopping }) { return }
      await bell.bell.wait(atMost: wait, on: bench.clock)
      try Task.checkCancellation()
      if state.withLock({ $0.isStopping }) { return }
    }
  }

  /// Decides what has become due, and returns how long nothing more will.
  func look() async throws -> Duration? {
    let (wall, boot) = (bench.now(), sinceBoot())
    let now = Int(wall.timeIntervalSince1970.rounded(.down))
    let (isStale, last) = state.withLock { state in
      let isStale = state.isStale || state.takenUp.map { boot - $0 >= Self.longest } ?? true
      if isStale { state.takenUp = boot }
      state.isStale = false
      defer { state.look = (wall, boot) }
      return (isStale, state.look)
    }
    var marks: [ScheduleMark] = []
    if isStale {
      marks = try await takeUp(now: now)
      // an earlier agent or a pause may have left a slot that waits
      bell.hasQueued = true
    }
    if let last, case .correction(let seconds) = step(from: last, to: (wall, boot)) {
      bench.say(.scheduled(.clockCorrected(seconds: seconds)))
      state.withLock { state in for name in state.lines.keys { state.lines[name]?.settle(at: now) } }
      marks = state.withLock { $0.lines.values.map(\.mark) }
    }
    if !marks.isEmpty { _ = try await bench.store.record([], marks: marks) }
    try await fire(at: now)
    return state.withLock { state in
      state.lines.values.compactMap(\.wakes).min().map {
        min(Self.longest, max(.milliseconds(1), .seconds(Double($0) - wall.timeIntervalSince1970)))
      }
    }
  }

  private func step(from last: (wall: Date, boot: Duration), to this: (wall: Date, boot: Duration)) -> ClockStep {
    ClockStep(wall: this.wall.timeIntervalSince(last.wall), elapsed: (this.boot - last.boot) / .seconds(1))
  }

  /// Reads the schedules in force and what is remembered of them.
  /// - Returns: what is to be remembered of those that are new, or whose clock went astray while no agent was there.
  private func takeUp(now: Int) async throws -> [ScheduleMark] {
    let known = try await bench.store.reader.scheduleMarks()
    let before = state.withLock { $0.lines }
    var lines: [String: ScheduleLine] = [:]
    var fresh: [ScheduleMark] = []
    for version in book.versions where version.pipeline.trigger.schedule != nil {
      let name = version.pipeline.name
      guard var line = ScheduleLine(version, mark: known[name], zones: zones, now: now) else { continue }
      if before.isEmpty, case .correction(let seconds) = ClockStep(settledAhead: line.seen - now) {
        bench.say(.scheduled(.clockCorrected(seconds: seconds)))
        line.settle(at: now)
      }
      lines[name] = line
      if known[name]?.content != line.schedule.content || known[name]?.seen != line.mark.seen {
        fresh.append(line.mark)
      }
    }
    // a pipeline that is gone has missed nothing when it comes back
    let gone = known.values.filter { lines[$0.pipeline] == nil && !$0.content.isEmpty }
    for mark in gone { fresh.append(ScheduleMark(pipeline: mark.pipeline, content: "", seen: mark.seen)) }
    state.withLock { $0.lines = lines }
    return fresh
  }

  private func fire(at now: Int) async throws {
    let lines = state.withLock { $0.lines }
    guard bell.hasQueued || lines.values.contains(where: { $0.wakes.map { $0 <= now } ?? false }) else { return }
    // from now on the end of a run wakes us: it may be one of those that are counted below
    bell.hasQueued = true
    let queued = Dictionary(grouping: try await bench.store.reader.queuedSlots(), by: \.pipeline)
    let open = try await bench.store.reader.openSlots()
    var settled: [(line: ScheduleLine, records: [SlotRecord])] = []
    var isWaiting = false
    for line in lines.values.sorted(by: { $0.name < $1.name }) where !line.isPaused {
      let plan = line.plan(at: now)
      let waiting = (queued[line.name] ?? []).map { Int($0.due.timeIntervalSince1970) }
      if plan == nil, waiting.isEmpty { continue }
      let decision = SlotDecision(
        plan, overlap: line.schedule.overlap, open: open[line.name] ?? 0, queued: waiting)
      isWaiting =
        isWaiting || waiting.count > decision.entries.count { $0.state == .fired }
        || decision.entries.contains { $0.state == .queued }
      var line = line
      if plan != nil { line.settle(at: now) }
      if plan == nil, decision.entries.isEmpty { continue }
      settled.append((line, try await records(decision, of: line)))
    }
    if !isWaiting { bell.hasQueued = false }
    for start in stride(from: 0, to: settled.count, by: Self.batch) {
      try await record(Array(settled[start..<min(start + Self.batch, settled.count)]))
    }
  }

  private func records(_ decision: SlotDecision, of line: ScheduleLine) async throws -> [SlotRecord] {
    var records: [SlotRecord] = []
    for entry in decision.entries {
      let due = Date(timeIntervalSince1970: Double(entry.due))
      var slot = Slot(
        pipeline: line.name, due: due, state: entry.state, at: bench.now(), missed: entry.missed, reason: entry.reason)
      var runs: [Run] = []
      if entry.state == .fired {
        do {
          runs = try await starter.runs(for: due, of: line.version)
          slot.run = runs.first?.id
        } catch let refusal as any RunProblem {
          (slot.state, slot.reason) = (.skipped, refusal.words)
        }
      }
      records.append(SlotRecord(slot, runs: runs))
    }
    return records
  }

  private func record(_ settled: [(line: ScheduleLine, records: [SlotRecord])]) async throws {
    let records = settled.flatMap(\.records)
    let runs = try await bench.store.record(records, marks: settled.map(\.line.mark))
    let begun = Set(runs.map(\.id))
    state.withLock { state in
      for (line, _) in settled where state.lines[line.name] != nil { state.lines[line.name] = line }
    }
    for record in records {
      let isBegun = record.slot.run.map { begun.contains($0) } ?? true
      if isBegun { bench.say(.scheduled(.slot(record.slot))) }
    }
    let versions = Dictionary(settled.map { ($0.line.name, $0.line.version) }) { first, _ in first }
    for run in runs { if let version = versions[run.pipeline] { queue(run, version) } }
  }
}
