package import Core
import Foundation
import Store

/// Begins a run that repeats an ended one on the same data: whole, from a stage on, or only what failed.
///
/// One that is done keeps its drop, and the new run reads it there. A drop in failed or quarantine is tried again as
/// `Retrier` does it: on a copy that is the new run's own.
package struct Rerunner: Sendable {
  private let bench: Workbench
  private let book: PipelineBook
  private let dispatcher: Dispatcher
  private let retrier: Retrier

  package init(bench: Workbench, book: PipelineBook, dispatcher: Dispatcher, retrier: Retrier) {
    self.bench = bench
    self.book = book
    self.dispatcher = dispatcher
    self.retrier = retrier
  }

  package struct Wish: Sendable, Equatable {
    package var run: RunID
    /// The first stage that is worked.
    package var from: String?
    package var failedOnly: Bool
    package var useCache: Bool
    /// Over those of the earlier run.
    package var set: [String: String]
    /// The version the earlier run had, instead of that in force.
    package var sameVersion: Bool

    package init(
      run: RunID, from: String? = nil, failedOnly: Bool = false, useCache: Bool = true, set: [String: String] = [:],
      sameVersion: Bool = false
    ) {
      self.run = run
      self.from = from
      self.failedOnly = failedOnly
      self.useCache = useCache
      self.set = set
      self.sameVersion = sameVersion
    }
  }

  /// Records and queues the run.
  /// - Throws: `Retrier.Refusal` in words, or what the spool and the store throw.
  package func rerun(_ wish: Wish) async throws -> Run {
    let earlier = try await bench.store.reader.run(matching: .id(wish.run))
    guard earlier.state.isTerminal else {
      throw refusal("run \(earlier.number) has not ended: it is \(earlier.state.rawValue)")
    }
    let version = try await version(for: earlier, wish)
    try await check(wish, earlier, version.pipeline)
    var options = earlier.options
    options.set.merge(wish.set) { _, new in new }
    options.useCache = wish.useCache
    options.from = wish.from
    options.failedOnly = wish.failedOnly
    guard earlier.state != .done, let drop = earlier.drop else {
      return try await onSameData(earlier, version, options)
    }
    guard earlier.filed else {
      throw refusal("the drop of run \(earlier.number) is not filed yet: try again in a moment")
    }
    if let known = try await bench.store.reader.repetition(of: earlier.id) {
      throw retrier.repeated(earlier, by: known)
    }
    return try await retrier.again(earlier, on: drop.name, version: version, options: options)
  }

  /// Without a drop of its own: it reads the drop of the earlier run, or the data sources.
  private func onSameData(_ earlier: Run, _ version: PipelineVersion, _ options: RunOptions) async throws -> Run {
    let owner = earlier.drop == nil ? try await bench.store.reader.dropOwner(of: earlier) : earlier
    if let owner { try checkPlace(of: owner) }
    let captures = owner?.drop?.captures ?? [:]
    do { _ = try version.pipeline.resolved(captures: captures, set: options.set) } catch { throw refusal(error.words) }
    var chance = bench.random()
    let now = bench.now()
    let run = Run(
      id: RunID(now: now, using: &chance), pipeline: version.pipeline.name, version: version.digest,
      trigger: .manual, options: options, created: now, rerunOf: earlier.id)
    let recorded =
      earlier.state == .done
      ? try await bench.store.claim([NewRun(run)])
      : [try await bench.store.claim(run, repeating: earlier.id)]
    for run in recorded { dispatcher.add(run, priority: version.pipeline.trigger.priority) }
    return recorded.first ?? run
  }

  private func checkPlace(of owner: Run) throws {
    guard let drop = owner.drop else { return }
    guard owner.filed else {
      throw refusal("the drop of run \(owner.number) is not filed yet: try again in a moment")
    }
    let path = try bench.spool.path(ofDone: drop.name, of: owner.id, for: owner.id)
    guard bench.spool.bytes(at: path) != nil else {
      throw refusal("`var/done/\(owner.id)/\(drop.name.displayed)` is not there any more: drop the file again")
    }
  }

  private func version(for earlier: Run, _ wish: Wish) async throws -> PipelineVersion {
    guard wish.sameVersion else { return try retrier.version(for: earlier, earlier.drop?.name) }
    guard let digest = earlier.version, let version = try await bench.store.reader.version(digest: digest) else {
      throw refusal("run \(earlier.number) had no version of a pipeline: leave --same-version out")
    }
    return version
  }

  private func check(_ wish: Wish, _ earlier: Run, _ pipeline: Pipeline) async throws {
    if let from = wish.from, !pipeline.stages.contains(where: { $0.name == from }) {
      throw refusal(pipeline.words(onMissing: from))
    }
    if wish.failedOnly, earlier.state == .done, !pipeline.stages.contains(where: { $0.each != nil }),
      try await failedStages(of: earlier).isEmpty
    {
      throw refusal(
        "every stage of run \(earlier.number) ended well: `penstock rerun \(earlier.number)` works it all again")
    }
  }

  /// Stages that failed and were let pass.
  private func failedStages(of run: Run) async throws -> [String] {
    let last = Dictionary(try await bench.store.reader.attempts(of: run.id).map { ($0.stage, $0) }) { _, later in later
    }
    return last.values.filter { !$0.state.isGood }.map(\.stage)
  }

  private func refusal(_ words: String) -> Retrier.Refusal { Retrier.Refusal(description: words) }
}
