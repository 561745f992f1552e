/// The rules of a pipeline, then the built-in set: the first that holds decides.
package struct RuleBook: Sendable {
  /// As the YAML has them.
  package var own: [Rule]
  package var builtIn: [Rule]

  package init(_ pipeline: Pipeline, thresholds: Thresholds) {
    own = pipeline.rules ?? []
    builtIn = BuiltInRules.rules(thresholds, pipeline.targets)
  }

  package struct Answer: Sendable, Equatable {
    package var opinion: GranularityOpinion?
    /// Rules that could not be evaluated, each with why.
    package var broken: [String] = []
  }

  /// The columns that rules for this stage ask for.
  package func columns(for stage: String) -> Set<String> {
    Set((own + builtIn).filter { $0.applies(to: stage) }.flatMap(\.mentioned))
  }

  /// What the rules say of a stage that is `auto`.
  ///
  /// A level that the stage does not support lets the next rule be asked.
  package func answer(
    on stage: String, supports: (Granularity) -> Bool, row: Rule.Row, holds: Rule.Evaluation
  ) -> Answer {
    var answer = Answer()
    let numbered = own.enumerated().map { ("rule \($0 + 1)", $1) } + builtIn.map { ("built-in rule", $0) }
    for (name, rule) in numbered where rule.applies(to: stage) && supports(rule.set) {
      do throws(Condition.Malformed) {
        guard try holds(rule.when, row) else { continue }
        let facts = rule.facts(on: row)
        let words = "\(name): \(rule.why ?? Display.brief(rule.when))" + (facts.isEmpty ? "" : " (\(facts))")
        answer.opinion = GranularityOpinion(.rule, rule.set, reason: words)
        return answer
      } catch {
        answer.broken.append("\(name) cannot be evaluated: \(error.reason): \(Display.brief(rule.when))")
      }
    }
    return answer
  }
}

extension Pipeline {
  /// Whether a stage of it can be worked at this level; one without a manifest can at any.
  package func supports(_ level: Granularity, _ stage: Stage) -> Bool {
    manifest(of: stage)?.supported.contains(level) ?? true
  }

  /// The stages that rules, policies and trials decide on.
  package var automatic: [Stage] { stages.filter { $0.granularity == .auto } }
}
