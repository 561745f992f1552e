package import Core
import Foundation
import Store

/// Puts a policy in force, or lets go of one, because a person says so.
package struct Pinning: Sendable {
  private let bench: Workbench
  private let book: PipelineBook

  package init(bench: Workbench, book: PipelineBook) {
    self.bench = bench
    self.book = book
  }

  /// Why nothing was changed, in words.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// - Parameter levels: by stage; without any what is in force is pinned. Stages that are not named are coarse.
  package func pin(_ name: String, _ levels: [String: Granularity]) async throws -> Policy {
    guard let pipeline = book.version(of: name)?.pipeline else {
      throw Refusal(description: book.words(onMissing: name))
    }
    var levels = levels
    if levels.isEmpty { levels = try await bench.store.reader.policy(of: name).levels }
    if levels.isEmpty {
      throw Refusal(
        description: "nothing is in force for `\(name)` that could be pinned: name levels, such as "
          + "`penstock policy pin \(name) \(pipeline.automatic.first?.name ?? "STAGE")=fine`")
    }
    for (stage, level) in levels.sorted(by: { $0.key < $1.key }) { try check(stage, level, pipeline) }
    for stage in pipeline.automatic where levels[stage.name] == nil { levels[stage.name] = .coarse }
    return try await bench.store.pin(name, levels, basis: bench.definitions.basis(of: pipeline), at: bench.now())
  }

  /// - Returns: what was let go.
  package func unpin(_ name: String) async throws -> Policy {
    guard let step = try await bench.store.unpin(name, at: bench.now()) else {
      throw Refusal(
        description: "nothing is pinned for `\(Display.brief(name))`; `penstock policy` tells what is in force")
    }
    return step
  }

  private func check(_ name: String, _ level: Granularity, _ pipeline: Pipeline) throws {
    guard let stage = pipeline.stages.first(where: { $0.name == name }) else {
      throw Refusal(description: pipeline.words(onMissing: name))
    }
    if stage.granularity != .auto {
      throw Refusal(
        description: "stage `\(name)` is not `auto`, so no policy decides on it: write `granularity: auto` at the stage"
      )
    }
    if let refusal = pipeline.refusal(of: level, stage) { throw Refusal(description: refusal) }
  }
}
