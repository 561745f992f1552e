package import Core
import Foundation
package import Store

/// Gathers what rules know of a stage from what is remembered.
package struct FactsReader: Sendable {
  private let reader: StateReader
  /// Attempts that the past of a stage is measured by.
  private let history: Int

  package init(reader: StateReader, history: Int) {
    self.reader = reader
    self.history = history
  }

  /// What was measured before this run; what this run says of its data is left to the caller.
  ///
  /// The past of a stage is that of its attempts in full: so a level that saves time does not hide why it was chosen.
  /// A stage that was never worked in full is measured by whatever it was worked at.
  /// - Parameters:
  ///   - elapsed: seconds since the run was claimed.
  ///   - wanted: columns that somebody asks for; others may be left unknown.
  package func facts(
    on stage: Stage, of pipeline: Pipeline, elapsed: Double?, wanted: Set<String> = Set(Facts.columns)
  ) async throws -> Facts {
    var facts = Facts()
    if !wanted.isDisjoint(with: Facts.ofThePast) { facts.past = try await past(of: stage, in: pipeline) }
    if wanted.contains("accuracy") {
      facts.accuracy = try await reader.latestMetric(pipeline.metric, of: pipeline.name, limit: history)
    }
    facts.measure(against: pipeline.targets, elapsed: elapsed)
    return facts
  }

  private func past(of stage: Stage, in pipeline: Pipeline) async throws -> StagePast {
    var attempts = try await reader.stageHistory(
      pipeline: pipeline.name, stage: stage.name, limit: history, level: .coarse)
    if attempts.isEmpty {
      attempts = try await reader.stageHistory(pipeline: pipeline.name, stage: stage.name, limit: history)
    }
    return StagePast(attempts)
  }
}
