/// A condition under which a stage that is `auto` gets a level; of several that hold the first decides.
package struct Rule: Sendable, Equatable, Codable {
  /// A stage, or a pattern with `*`.
  package var stage: String
  /// An SQL expression over `columns`.
  package var when: String
  package var set: Granularity
  /// For people.
  package var why: String?

  package init(stage: String, when: String, set: Granularity, why: String? = nil) {
    self.stage = stage
    self.when = when
    self.set = set
    self.why = why
  }

  /// What the condition is asked about, in the order of `Row.values`: all that a `when` has, and the facts.
  package static let columns = Condition.columns + Facts.columns

  /// What one stage of one run has at one moment.
  package struct Row: Sendable, Equatable {
    package var condition: Condition.Row
    package var facts: Facts

    package init(_ condition: Condition.Row, _ facts: Facts) {
      self.condition = condition
      self.facts = facts
    }
  }

  /// Evaluates an expression on a row; NULL does not hold.
  ///
  /// SQLite does it, in Store.
  package typealias Evaluation = (String, Row) throws(Condition.Malformed) -> Bool

  package func applies(to stage: String) -> Bool { StagePattern(self.stage).matches(stage) }
}
