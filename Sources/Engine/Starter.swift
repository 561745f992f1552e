package import Core
import Foundation
import Store

/// Begins runs that no drop began: by hand, and when a pipeline's file changed.
package struct Starter: Sendable {
  private let bench: Workbench
  private let book: PipelineBook
  private let dispatcher: Dispatcher

  package init(bench: Workbench, book: PipelineBook, dispatcher: Dispatcher) {
    self.bench = bench
    self.book = book
    self.dispatcher = dispatcher
  }

  package struct Wish: Sendable, Equatable {
    package var pipeline: String
    /// An absolute path; copied, never moved.
    package var input: FileName?
    package var options: RunOptions
    package var trigger: RunTrigger

    package init(
      pipeline: String, input: FileName? = nil, options: RunOptions = RunOptions(), trigger: RunTrigger = .manual
    ) {
      self.pipeline = pipeline
      self.input = input
      self.options = options
      self.trigger = trigger
    }
  }

  /// Why nothing was begun, in words.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Records and queues the runs: one, or one for each kind of drop that the pipeline takes.
  /// - Parameter mayBegin: whether the dispatcher works already.
  package func start(_ wish: Wish, mayBegin: Bool = true) async throws -> [Run] {
    guard let version = book.version(of: wish.pipeline) else {
      throw Refusal(description: book.words(onMissing: wish.pipeline))
    }
    try check(wish.options, version.pipeline)
    let runs = try await runs(wish, version)
    if runs.isEmpty {
      throw Refusal(
        description:
          "pipeline `\(wish.pipeline)` has nothing to run on: name a file with --input, give it `data.sources`, or drop a file first"
      )
    }
    let recorded: [RunRecorder.Recorded]
    do {
      recorded = try await RunRecorder(bench: bench, dispatcher: dispatcher)
        .record(runs.map { ($0, version.pipeline) }, mayBegin: mayBegin)
    } catch {
      for run in runs where wish.input != nil { try? bench.spool.discardCopy(run.id) }
      throw error
    }
    for (run, opened) in recorded {
      if wish.input != nil { try bench.spool.adoptCopy(run.id) }
      dispatcher.add(run, priority: version.pipeline.trigger.priority, opened: opened)
    }
    return recorded.map(\.run)
  }

  /// The runs that a slot begins, not yet recorded.
  ///
  /// Where a pipeline takes no drops and names no data there is nothing to read, and it runs all the same.
  /// - Throws: `Refusal` where it takes drops and none is done yet.
  func runs(for slot: Date, of version: PipelineVersion) async throws -> [Run] {
    var runs = try await runs(Wish(pipeline: version.pipeline.name, trigger: .slot), version)
    if runs.isEmpty, version.pipeline.trigger.inbox == nil {
      var chance = bench.random()
      let now = bench.now()
      runs = [
        Run(
          id: RunID(now: now, using: &chance), pipeline: version.pipeline.name, version: version.digest,
          trigger: .slot, created: now)
      ]
    }
    if runs.isEmpty {
      throw Refusal(
        description: "there is nothing to run on: no drop of pipeline `\(version.pipeline.name)` is done yet, "
          + "and it has no `data.sources`")
    }
    for index in runs.indices { runs[index].slot = slot }
    return runs
  }

  private func runs(_ wish: Wish, _ version: PipelineVersion) async throws -> [Run] {
    var chance = bench.random()
    let now = bench.now()
    func run(_ drop: Drop?, of earlier: RunID? = nil) -> Run {
      Run(
        id: RunID(now: now, using: &chance), pipeline: version.pipeline.name, version: version.digest,
        trigger: wish.trigger, drop: drop, options: wish.options, created: now, rerunOf: earlier)
    }
    guard let input = wish.input else {
      if !version.pipeline.sources.isEmpty {
        let alone = run(nil)
        do { _ = try version.pipeline.resolved(captures: [:], set: wish.options.set) } catch {
          throw Refusal(description: error.words)
        }
        return [alone]
      }
      return try await bench.store.reader.latestDoneDrop(pipeline: version.pipeline.name).map { run(nil, of: $0.id) }
    }
    let name = input.lastPart
    let captures = version.pipeline.trigger.inbox?.captures(of: name) ?? [:]
    do { _ = try version.pipeline.resolved(captures: captures, set: wish.options.set) } catch {
      throw Refusal(description: error.words)
    }
    var copied = run(Drop(name: name, bytes: 0, captures: captures))
    do { copied.drop?.bytes = try bench.spool.copyIn(input, name: name, as: copied.id).bytes } catch {
      try? bench.spool.discardCopy(copied.id)
      throw error
    }
    return [copied]
  }

  private func check(_ options: RunOptions, _ pipeline: Pipeline) throws {
    for (name, level) in options.granularity.sorted(by: { $0.key < $1.key }) {
      guard let stage = pipeline.stages.first(where: { $0.name == name }) else {
        throw Refusal(description: pipeline.words(onMissing: name))
      }
      if let refusal = pipeline.refusal(of: level, stage) { throw Refusal(description: refusal) }
    }
  }
}

extension Starter.Refusal: RunProblem {
  var words: String { description }
}
