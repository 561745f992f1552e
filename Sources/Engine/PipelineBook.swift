package import Core
import Synchronization

/// The pipelines in force, by name; a run keeps to the version it began with.
package final class PipelineBook: Sendable {
  private struct State {
    var inForce: [String: PipelineVersion] = [:]
    var byDigest: [String: Pipeline] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  package var versions: [PipelineVersion] {
    state.withLock { $0.inForce.values.sorted { $0.pipeline.name < $1.pipeline.name } }
  }

  package func version(of name: String) -> PipelineVersion? { state.withLock { $0.inForce[name] } }

  /// The pipeline a run keeps to, where some run or file has asked for it before.
  func pipeline(digest: String) -> Pipeline? { state.withLock { $0.byDigest[digest] } }

  func remember(_ pipeline: Pipeline, digest: String) {
    state.withLock { $0.byDigest[digest] = pipeline }
  }

  /// Replaces what is in force.
  func put(_ versions: [PipelineVersion]) {
    state.withLock { state in
      state.inForce = Dictionary(versions.map { ($0.pipeline.name, $0) }) { first, _ in first }
      for version in versions { state.byDigest[version.digest] = version.pipeline }
    }
  }

  /// That no pipeline is called so, and which are.
  func words(onMissing name: String) -> String {
    let names = versions.map(\.pipeline.name)
    let known =
      names.isEmpty ? "`pipelines/` has none that is valid" : "there are `\(names.joined(separator: "`, `"))`"
    let hint = Nearest.name(to: name, among: names).map { "did you mean `\($0)`?" }
    return "no pipeline `\(Display.brief(name))`; \(hint ?? known)"
  }

  /// Whether a file of this name belongs to a drop, and is none itself.
  package func isDoneFile(_ name: FileName) -> Bool { Routing.isDoneFile(name, among: versions) }

  /// Which pipeline takes a drop of this name.
  package func route(_ name: FileName) -> (version: PipelineVersion, captures: [String: String])? {
    Routing.route(name, among: versions)
  }

  /// Of the pipeline of a run, as it is in force.
  func priority(of run: Run) -> Int { version(of: run.pipeline)?.pipeline.trigger.priority ?? 0 }

  /// For the hooks of a drop that no pipeline has, one without stages: those of the directories see it all the same.
  func pipelineInForce(of run: Run) -> Pipeline {
    version(of: run.pipeline)?.pipeline ?? Pipeline(name: run.pipeline, stages: [])
  }
}
