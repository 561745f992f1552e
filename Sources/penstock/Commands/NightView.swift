import Core
import Engine
import Foundation
import Store

/// When trials of a pipeline run by themselves, and what they may use of the processor.
struct NightView: Sendable {
  var pipeline: String
  var window: TrialWindow
  var budget: NightBudget

  /// Of every pipeline whose trials have a window, by name.
  static func all(_ versions: [PipelineVersion], _ reader: StateReader?, _ now: Date) async throws -> [NightView] {
    let ledger = reader.map { NightLedger(reader: $0, now: now) }
    var views: [NightView] = []
    for version in versions.sorted(by: { $0.pipeline.name < $1.pipeline.name }) {
      guard let rules = version.pipeline.trials, let window = rules.window else { continue }
      let name = version.pipeline.name
      // where nothing ever ran nothing is earned
      let none = NightBudget(configured: rules.budget / .seconds(1), share: rules.share, production: 0)
      views.append(NightView(pipeline: name, window: window, budget: try await ledger?.budget(of: name, rules) ?? none))
    }
    return views
  }

  var json: JSON {
    [
      "pipeline": .string(pipeline), "window": .string(window.text), "budget_s": TrialJSON.figure(budget.allowed),
      "configured_s": TrialJSON.figure(budget.configured), "share": TrialJSON.figure(budget.share),
      "days": .integer(NightBudget.days), "production_s": TrialJSON.figure(budget.production),
      "saved_s": TrialJSON.figure(budget.saved), "spent_s": TrialJSON.figure(budget.spent),
      "reason": .string(budget.reason),
    ]
  }

  /// `01:00-04:00, 3m20s of CPU time: 20% of the 16m40s that its runs used in 28 days`.
  var words: String { "\(window.text), \(budget.words)" }

  static func table(_ views: [NightView]) -> Table {
    var table = Table([.left(""), .giving(""), .giving("")], indent: 2)
    for view in views {
      table.add([.init("nights of"), .init(Shown.words(view.pipeline), .strong), .init(view.words)])
    }
    return table
  }
}
