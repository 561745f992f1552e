package import Core
import Foundation
import Store
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
  private let onChange: @Sendable ([PipelineVersion]) async throws -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - bell: rung when a file changed.
  ///   - load: reads and checks every pipeline file.
  ///   - onChange: told after a change, before it is recorded, with the versions that were not in force before: one
  ///     that is told of again after a crash may have been acted on.
  package init(
    bench: Workbench, book: PipelineBook, bell: Bell, load: @escaping @Sendable () -> [LoadedPipeline],
    onChange: @escaping @Sendable ([PipelineVersion]) async throws -> Void
  ) {
    self.bench = bench
    self.book = book
    self.bell = bell
    self.load = load
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
    var fresh: [PipelineVersion] = []
    var changed: [LoadedPipeline] = []
    for file in loaded {
      if let version = file.version {
        inForce[file.path] = version
        if good[file.path]?.digest != version.digest {
          fresh.append(version)
          try await bench.store.register(version)
        }
      } else if !file.isValid {
        inForce[file.path] = good[file.path]
      }
      guard before[file.path] != file else { continue }
      changed.append(file)
      announce(file, before: before[file.path], lastGood: good[file.path])
    }
    var gone: [String] = []
    for path in Set(before.keys).union(good.keys).subtracting(loaded.map(\.path)) {
      gone.append(path)
      if let lost = good[path] { bench.say(.pipelineGone(name: lost.pipeline.name, path: path)) }
    }
    state.withLock { state in
      state.seen = Dictionary(loaded.map { ($0.path, $0) }) { first, _ in first }
      state.good = inForce
      state.isLoaded = true
    }
    if changed.isEmpty, gone.isEmpty { return }
    book.put(Array(inForce.values))
    try await onChange(fresh)
    // last: what a crash keeps from being recorded is fresh to the next agent
    for file in changed { try await record(file, active: inForce[file.path]?.digest) }
    for path in gone { try await bench.store.forget(config: path) }
  }

  /// Puts what the files say in force for a command that works without an agent.
  ///
  /// That anything is new is left for the agent to find, which may begin runs by it.
  package func lookUp() async throws {
    try await recall()
    let good = state.withLock { $0.good }
    let inForce = load().compactMap { $0.version ?? ($0.isValid ? nil : good[$0.path]) }
    for version in inForce { try await bench.store.register(version) }
    book.put(inForce)
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

  /// What `check` calls an error and is none of the file: the program may come a moment later.
  private func warn(of version: PipelineVersion) {
    for stage in version.pipeline.stages where stage.uses == nil {
      guard let program = stage.program.first, !program.contains("${") else { continue }
      let file = bench.programs.resolve(program, hashing: false)
      guard let refusal = file.refusal else { continue }
      bench.say(
        .stageUnable(path: version.path, stage: stage.name, reason: "`\(Display.escaped(file.shown))`: \(refusal)"))
    }
  }

  private func announce(_ file: LoadedPipeline, before: LoadedPipeline?, lastGood: PipelineVersion?) {
    if let version = file.version {
      if before?.version?.digest == version.digest { return }
      bench.say(
        .pipelineLoaded(
          name: version.pipeline.name, path: file.path, isFirst: lastGood.map { $0.digest == version.digest } ?? true))
      warn(of: version)
    } else if !file.isValid {
      let errors = file.diagnostics.filter { $0.severity == .error }
      let first = errors.first.map { "\($0.mark.displayed): \($0.message)" } ?? ""
      bench.say(
        .pipelineInvalid(path: file.path, errors: errors.count, first: first, lastGoodInForce: lastGood != nil))
    }
  }
}
