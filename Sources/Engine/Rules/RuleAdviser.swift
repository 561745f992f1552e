import Core
import Foundation
import Store

/// Asks the rules about a stage of a run that is about to begin.
struct RuleAdviser: Sendable {
  let bench: Workbench
  let pipeline: Pipeline

  /// - Returns: `nil` where no rule holds, and for a stage that is not `auto`.
  func opinion(on stage: Stage, in session: RunSession) async throws -> GranularityOpinion? {
    guard stage.granularity == .auto else { return nil }
    let book = RuleBook(pipeline, thresholds: bench.settings.rules)
    let reader = FactsReader(reader: bench.store.reader, history: bench.settings.rules.history)
    var facts = try await reader.facts(
      on: stage, of: pipeline, elapsed: bench.now().timeIntervalSince(session.run.created),
      wanted: book.columns(for: stage.name))
    facts.volume = session.facts.nearest("rows", above: stage, in: pipeline.stages).flatMap {
      Int(exactly: $0.rounded())
    }
    facts.complexity = session.facts.nearest("complexity", above: stage, in: pipeline.stages)
    var condition = session.facts.row(of: session.run, context: session.context.seen(by: stage))
    let sizes = session.origin.compactMap(\.bytes)
    if condition.bytes == nil, !sizes.isEmpty { condition.bytes = sizes.reduce(0, +) }
    let answer = book.answer(
      on: stage.name, supports: { pipeline.supports($0, stage) }, row: Rule.Row(condition, facts), holds: Rule.holds)
    for words in answer.broken { bench.say(.ruleBroken(reason: words), session.run, stage: stage.name) }
    return answer.opinion
  }
}
