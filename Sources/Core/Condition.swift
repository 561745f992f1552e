/// A condition of the YAML: an SQL expression over one row of facts, such as
/// `context ->> 'rows' > 1000 AND captures ->> 'pair' = 'eurusd'`.
///
/// SQLite evaluates it (https://www.sqlite.org/lang_expr.html); here is only what it is asked about.
package enum Condition {
  /// The columns, in the order of `Row.values`.
  package static let columns = [
    "pipeline", "trigger", "name", "bytes", "captures", "context", "metrics", "data", "states",
  ]

  /// What one run has at one moment.
  package struct Row: Sendable, Equatable {
    package var pipeline: String
    package var trigger: String
    /// The drop's name, escaped where it is not UTF-8; `nil` without a drop.
    package var name: String?
    package var bytes: Int?
    package var captures: JSON
    package var context: JSON
    /// By stage: `metrics ->> '$.train.accuracy'`.
    package var metrics: JSON
    /// By stage: `data ->> '$.ingest.rows'`.
    package var data: JSON
    /// By stage: `states ->> 'train' = 'failed'`.
    package var states: JSON

    package init(run: Run, context: JSON, metrics: JSON, data: JSON, states: JSON) {
      pipeline = run.pipeline
      trigger = run.trigger.rawValue
      name = run.told.map { $0.name.text ?? $0.name.displayed }
      bytes = run.told?.bytes
      captures = .object((run.told?.captures ?? [:]).mapValues { .string($0) })
      self.context = context
      self.metrics = metrics
      self.data = data
      self.states = states
    }
  }

  /// Why an expression is none.
  package struct Malformed: Error, Equatable {
    package let reason: String
    /// Bytes from its beginning to where it went wrong; `nil` where SQLite does not say.
    package let offset: Int?

    package init(reason: String, offset: Int?) {
      self.reason = reason
      self.offset = offset
    }
  }
}
