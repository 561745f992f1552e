import Core
import Store
import Synchronization

/// Removes the sources of copies from the inbox, and lets their runs begin when they are gone.
final class SourceRemover: Sendable {
  private struct State {
    /// Recorded, and their source is still in the inbox: tried again.
    var leaving: [LeavingSource] = []
    /// Why they are.
    var troubles: [FileName: String] = [:]
    /// Runs whose sources are being removed.
    var atWork: Set<RunID> = []
  }

  private let bench: Workbench
  private let recorder: ClaimRecorder
  private let state = Mutex(State())

  init(bench: Workbench, recorder: ClaimRecorder) {
    self.bench = bench
    self.recorder = recorder
  }

  /// Runs that wait for a removal which did not work.
  var waiting: Set<RunID> { state.withLock { Set($0.leaving.map(\.run.id)) } }

  /// Why the sources of those are still there.
  var troubles: [FileName: String] { state.withLock { $0.troubles } }

  /// Whether a name in the inbox is that of a source which could not be removed.
  func holds(_ name: FileName) -> Bool { state.withLock { $0.troubles[name] != nil } }

  func isAtWork(on id: RunID) -> Bool {
    state.withLock { $0.atWork.contains(id) || $0.leaving.contains { $0.run.id == id } }
  }

  /// Tries those again that did not work.
  /// - Returns: the names that are free again.
  func tryAgain() async throws -> [FileName] {
    let sources = state.withLock { state in
      defer { state.leaving = [] }
      return state.leaving
    }
    return try await remove(sources, announcing: true)
  }

  /// Removes sources; the runs of those that are gone may begin.
  /// - Returns: the names that are free again.
  @discardableResult
  func remove(_ sources: [LeavingSource], announcing: Bool) async throws -> [FileName] {
    if sources.isEmpty { return [] }
    state.withLock { $0.atWork = Set(sources.map(\.run.id)) }
    var gone: [Run] = []
    for source in sources {
      guard let name = source.run.drop?.name else { continue }
      do {
        _ = try bench.spool.removeSource(name, source.sample, of: source.run.id)
        removeDoneFile(of: source.run, name, source.sample)
        gone.append(source.run)
        state.withLock { $0.troubles[name] = nil }
      } catch let trouble as HostError {
        let words = "was copied as run #\(source.run.number), which begins when the file can be removed: \(trouble)"
        let isNew = state.withLock { state in
          state.leaving.append(source)
          return state.troubles.updateValue(words, forKey: name) != words
        }
        if isNew { bench.say(.dropHeld(name, reason: words), source.run) }
      }
    }
    if !gone.isEmpty {
      try bench.spool.syncInbox()
      try await bench.store.sourcesRemoved(gone.map(\.id))
      Failpoint.sourceRecorded.pass()
      try await begin(gone, announcing: announcing)
    }
    state.withLock { $0.atWork = [] }
    return gone.compactMap { $0.drop?.name }
  }

  private func removeDoneFile(of run: Run, _ name: FileName, _ sample: FileSample) {
    guard let rule = recorder.book.version(of: run.pipeline)?.pipeline.trigger.doneFile else { return }
    var drop = ReadyDrop(name: name, sample: sample)
    drop.doneFile = rule.name(for: name)
    bench.removeDoneFile(of: drop)
  }

  /// Lets runs begin whose copies are theirs alone.
  func begin(_ runs: [Run], announcing: Bool) async throws {
    if runs.isEmpty { return }
    try bench.spool.adoptCopies(runs.map(\.id))
    if announcing { for run in runs where !run.state.isTerminal { recorder.announce(run) } }
  }
}
