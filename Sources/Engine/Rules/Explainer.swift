package import Core
package import Foundation
package import Store

/// Says what the stages of a run that does not happen would get, and why.
package struct Explainer: Sendable {
  private let reader: StateReader?
  private let thresholds: Thresholds
  private let pipeline: Pipeline

  /// - Parameters:
  ///   - reader: `nil` where nothing is remembered.
  ///   - pipeline: with nothing filled in.
  package init(reader: StateReader?, thresholds: Thresholds, pipeline: Pipeline) {
    self.reader = reader
    self.thresholds = thresholds
    self.pipeline = pipeline
  }

  /// What the run would read.
  package struct Input: Sendable {
    package var name: FileName
    package var bytes: Int
    /// Records of it; `nil` where they cannot be counted.
    package var rows: Int?

    package init(name: FileName, bytes: Int, rows: Int?) {
      self.name = name
      self.bytes = bytes
      self.rows = rows
    }
  }

  /// Of one stage.
  package struct Explanation: Sendable {
    package var stage: Stage
    package var opinion: GranularityOpinion
    package var sample: Double?
    /// In the order of `Facts.columns`; empty for a stage that is not `auto`.
    package var facts: [(name: String, value: JSON)]
    package var broken: [String]
  }

  /// - Parameters:
  ///   - input: `nil` takes what the stages said last for what they would say.
  ///   - policy: what stands, checked against the stages as they are.
  package func explain(_ input: Input?, policy: PolicyStanding?, now: Date) async throws -> [Explanation] {
    let run = pretended(input, now: now)
    var said = StageFacts()
    var context = JSON.object([:])
    var wasWorked = false
    for stage in pipeline.stages {
      let last = try await reader?.stageHistory(pipeline: pipeline.name, stage: stage.name, limit: 1).first
      if let last {
        wasWorked = true
        said.take(last)
        context = last.contextPatches.reduce(context) { $0.merging($1) }
      }
    }
    let book = RuleBook(pipeline, thresholds: thresholds)
    var found: [Explanation] = []
    for stage in pipeline.stages {
      var counsel = Counsel(policy: policy)
      var values: [(name: String, value: JSON)] = []
      var broken: [String] = []
      if stage.granularity == .auto {
        var facts = try await facts(on: stage)
        let rows = said.nearest("rows", above: stage, in: pipeline.stages)
        // rows are what stages before it say, and before the first one there is none
        let isUnknown = stage.needs.isEmpty || rows == nil && wasWorked
        facts.volume = isUnknown ? nil : input?.rows ?? rows.flatMap { Int(exactly: $0.rounded()) }
        facts.complexity = said.nearest("complexity", above: stage, in: pipeline.stages)
        let row = Rule.Row(said.row(of: run, context: context), facts)
        let answer = book.answer(
          on: stage.name, supports: { pipeline.supports($0, stage) }, row: row, holds: Rule.holds)
        counsel.rules[stage.name] = answer.opinion
        broken = answer.broken
        values = Array(zip(Facts.columns, facts.values))
        values.insert(("bytes", row.condition.bytes.map { .integer($0) } ?? .null), at: 1)
      }
      let choice = GranularityChoice(for: stage, options: RunOptions(), hook: nil, counsel: counsel)
      found.append(
        Explanation(
          stage: stage, opinion: choice.opinion, sample: choice.sample, facts: values, broken: broken))
    }
    return found
  }

  private func facts(on stage: Stage) async throws -> Facts {
    guard let reader else {
      var facts = Facts()
      facts.measure(against: pipeline.targets, elapsed: 0)
      return facts
    }
    return try await FactsReader(reader: reader, history: thresholds.history).facts(on: stage, of: pipeline, elapsed: 0)
  }

  private func pretended(_ input: Input?, now: Date) -> Run {
    var chance = SystemRandomNumberGenerator()
    var run = Run(
      id: RunID(now: now, using: &chance), pipeline: pipeline.name, version: nil, trigger: .manual, created: now)
    guard let input else { return run }
    run.trigger = .drop
    run.drop = Drop(
      name: input.name, bytes: input.bytes, captures: pipeline.trigger.inbox?.captures(of: input.name) ?? [:])
    return run
  }
}
