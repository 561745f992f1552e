package import Core
import Foundation
import Store

/// Tries a drop again that went to failed or quarantine: a new run that names the old one, on a copy of its bytes.
///
/// The order is that of a run by hand: copy, row, adoption of the copy; a copy without a row is void, so whatever dies
/// in between, the drop is tried again once or not at all, and the old run keeps what it had.
package struct Retrier: Sendable {
  private let bench: Workbench
  private let book: PipelineBook
  private let dispatcher: Dispatcher

  package init(bench: Workbench, book: PipelineBook, dispatcher: Dispatcher) {
    self.bench = bench
    self.book = book
    self.dispatcher = dispatcher
  }

  /// Why it is not tried again, in words.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Records and queues the run that repeats another; one that waits, for a person or a time, goes on itself.
  /// - Throws: `Refusal`, or what the spool and the store throw.
  package func retry(_ id: RunID) async throws -> Run {
    let earlier = try await bench.store.reader.run(matching: .id(id))
    if earlier.state == .waiting { return try await letGoOn(earlier) }
    let name = try check(earlier)
    if let known = try await bench.store.reader.repetition(of: id) { throw repeated(earlier, by: known) }
    return try await again(earlier, on: name, version: try version(for: earlier, name), options: earlier.options)
  }

  /// Records and queues a run on a copy of a filed drop; the earlier one is acknowledged.
  func again(_ earlier: Run, on name: FileName, version: PipelineVersion, options: RunOptions) async throws -> Run {
    let captures = version.pipeline.trigger.inbox?.captures(of: name) ?? earlier.drop?.captures ?? [:]
    do { _ = try version.pipeline.resolved(captures: captures, set: options.set) } catch {
      throw Refusal(description: error.words)
    }
    var chance = bench.random()
    let now = bench.now()
    var run = Run(
      id: RunID(now: now, using: &chance), pipeline: version.pipeline.name, version: version.digest,
      trigger: earlier.trigger, drop: Drop(name: name, bytes: 0, captures: captures), options: options,
      created: now, rerunOf: earlier.id)
    do {
      run.drop?.bytes = try bench.spool.copyIn(filed: Filing(earlier, ended: earlier.state), as: run.id).bytes
      run = try await bench.store.claim(run, repeating: earlier.id)
    } catch {
      try? bench.spool.discardCopy(run.id)
      throw error
    }
    try bench.spool.adoptCopy(run.id)
    dispatcher.add(run, priority: version.pipeline.trigger.priority)
    return run
  }

  /// What `on_interrupt: hold` made wait for a person, or a pause before the next try: this is the person, and now.
  private func letGoOn(_ run: Run) async throws -> Run {
    guard var held = dispatcher.takeParked(run.id) else {
      throw Refusal(description: "run \(run.number) goes on already")
    }
    let now = bench.now()
    try await bench.store.park(run.id, until: now, reason: Run.urging, at: now)
    (held.state, held.resumes, held.reason) = (.waiting, now, Run.urging)
    dispatcher.add(held, priority: book.priority(of: held))
    return run
  }

  private func check(_ run: Run) throws -> FileName {
    guard run.state.isTerminal else {
      throw Refusal(description: "run \(run.number) has not ended: it is \(run.state.rawValue)")
    }
    guard run.state != .done else {
      throw Refusal(
        description: "run \(run.number) is done; what failed or was quarantined is tried again. For another run on the "
          + "same data: `penstock rerun \(run.number)`")
    }
    guard let drop = run.drop else {
      throw Refusal(
        description: "run \(run.number) had no drop of its own: start another with `penstock run \(run.pipeline)`")
    }
    guard run.filed else {
      throw Refusal(description: "the drop of run \(run.number) is not filed yet: try again in a moment")
    }
    return drop.name
  }

  func repeated(_ run: Run, by known: Run) -> Refusal {
    let advice =
      switch known.state {
      case .done: ""
      case .failed, .cancelled, .quarantined: "; `penstock retry \(known.number)` tries that one again"
      case .queued, .running, .waiting: "; `penstock show \(known.number)` tells how far it is"
      }
    return Refusal(
      description:
        "run \(run.number) was tried again already, as run \(known.number), which is \(known.state.rawValue)\(advice)")
  }

  /// That in force now, for to mend the pipeline is why one tries again.
  func version(for run: Run, _ name: FileName?) throws -> PipelineVersion {
    if let version = book.version(of: run.pipeline) { return version }
    if run.pipeline.isEmpty, let version = name.flatMap({ book.route($0) })?.version { return version }
    throw Refusal(
      description: run.pipeline.isEmpty
        ? "no pipeline takes `\(name?.displayed ?? "")`"
        : "pipeline `\(run.pipeline)` is not in force any more: put its file back into `pipelines/`, or put the drop "
          + "into the inbox under a name that another takes")
  }
}

extension Run {
  /// The reason of a run that waits no longer, because a person says so: its next tries are due too.
  fileprivate static let urging = "a person lets it go on"

  var isUrged: Bool { state == .waiting && reason == Self.urging }
}
