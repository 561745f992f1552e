package import Core
import Foundation
package import Store
import Synchronization

/// Keeps the pipelines in force as their files change: settled, checked, and the last good version for a bad one.
package final class Configs: Sendable {
  private struct State {
    /// The last good version by path.
    var good: [String: PipelineVersion] = [:]
    var seen: [String: LoadedPipeline] = [:]
    var isStopping = false
    var isLoaded = false
  }

  /// Editors write in several steps.
  private static let settle = Duration.milliseconds(300)

  private let bench: Workbench
  private let book: PipelineBook
  private let bell: Bell
  private let load: @Sendable () -> [LoadedPipeline]
  private let onNew: @Sendable (PipelineVersion) async throws -> [NewRun]
  private let onChange: @Sendable ([Run]) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - bell: rung when a file changed.
  ///   - load: reads and checks every pipeline file.
  ///   - onNew: asked of a version never seen before which runs its coming begins; they are recorded with it, so that
  ///     no crash comes between.
  ///   - onChange: told after a change, with those runs.
  package init(
    bench: Workbench, book: PipelineBook, bell: Bell, load: @escaping @Sendable () -> [LoadedPipeline],
    onNew: @escaping @Sendable (PipelineVersion) async throws -> [NewRun],
    onChange: @escaping @Sendable ([Run]) -> Void
  ) {
    self.bench = bench
    self.book = book
    self.bell = bell
    self.load = load
    self.onNew = onNew
    self.onChange = onChange
  }

  package func stop() {
    state.withLock { $0.isStopping = true }
    bell.ring()
  }

  /// What was last seen of every file.
  package var files: [LoadedPipeline] {
    state.withLock { $0.seen.values.sorted { $0.path < $1.path } }
  }

  /// - Throws: what the store throws.
  package func run() async throws {
    while true {
      await bell.wait(atMost: nil, on: bench.clock)
      try Task.checkCancellation()
      if state.withLock({ $0.isStopping }) { return }
      try await bench.clock.sleep(for: Self.settle)
      try await refresh()
    }
  }

  /// Reads every file once, puts the good ones in force and records what changed.
  package func refresh() async throws {
    if !state.withLock({ $0.isLoaded }) { try await recall() }
    let loaded = load()
    let (before, good) = state.withLock { ($0.seen, $0.good) }
    var inForce: [String: PipelineVersion] = [:]
    var begun: [Run] = []
    var changed = false
    for file in loaded {
      if let version = file.version {
        inForce[file.path] = version
        if good[file.path]?.digest != version.digest {
          let isNew = try await bench.store.reader.version(digest: version.digest) == nil
          begun += try await bench.store.register(version, beginning: isNew ? try await onNew(version) : [])
        }
      } else if !file.isValid {
        inForce[file.path] = good[file.path]
      }
      guard before[file.path] != file else { continue }
      changed = true
      try await record(file, active: inForce[file.path]?.digest)
      announce(file, before: before[file.path], lastGood: good[file.path])
    }
    for path in Set(before.keys).union(good.keys).subtracting(loaded.map(\.path)) {
      changed = true
      try await bench.store.forget(config: path)
      if let gone = good[path] { bench.say(.pipelineGone(name: gone.pipeline.name, path: path)) }
    }
    state.withLock { state in
      state.seen = Dictionary(loaded.map { ($0.path, $0) }) { first, _ in first }
      state.good = inForce
      state.isLoaded = true
    }
    guard changed else { return }
    book.put(Array(inForce.values))
    onChange(begun)
  }

  /// Puts what the files say in force for a command without an agent, and remembers only the version it runs.
  ///
  /// Whatever else is new is left for the agent to find, for it may begin runs by it.
  package func refresh(for pipeline: String) async throws {
    try await recall()
    let good = state.withLock { $0.good }
    let inForce = load().compactMap { $0.version ?? ($0.isValid ? nil : good[$0.path]) }
    book.put(inForce)
    for version in inForce where version.pipeline.name == pipeline { try await bench.store.register(version) }
  }

  /// Takes up what an earlier agent had in force: a file that is bad now may have been good then.
  private func recall() async throws {
    var good: [String: PipelineVersion] = [:]
    for config in try await bench.store.reader.configs() {
      guard let digest = config.activeDigest else { continue }
      good[config.path] = try await bench.store.reader.version(digest: digest)
    }
    state.withLock { $0.good = good }
  }

  private func record(_ file: LoadedPipeline, active: String?) async throws {
    try await bench.store.record(
      config: ConfigStatus(
        path: file.path, digest: file.version?.digest, state: file.isValid ? .valid : .invalid,
        diagnostics: file.diagnostics.map(\.json), since: bench.now(), activeDigest: active))
  }

  private func announce(_ file: LoadedPipeline, before: LoadedPipeline?, lastGood: PipelineVersion?) {
    if let version = file.version {
      if before?.version?.digest == version.digest { return }
      bench.say(
        .pipelineLoaded(
          name: version.pipeline.name, path: file.path, isFirst: lastGood.map { $0.digest == version.digest } ?? true))
    } else if !file.isValid {
      let errors = file.diagnostics.filter { $0.severity == .error }
      let first = errors.first.map { "\($0.mark.displayed): \($0.message)" } ?? ""
      bench.say(
        .pipelineInvalid(path: file.path, errors: errors.count, first: first, lastGoodInForce: lastGood != nil))
    }
  }
}
