import Core
import Foundation

/// `policy show` for people and programs.
struct PolicyPage: Answer {
  var views: [PolicyView]
  var thresholds: Thresholds
  var now: Date

  func json() -> JSON { ["api": 1, "policies": .array(views.map(json))] }

  private func json(_ view: PolicyView) -> JSON {
    let book = RuleBook(view.pipeline, thresholds: thresholds)
    return view.json.merging([
      "auto": .array(view.pipeline.automatic.map { .string($0.name) }),
      "rules": .array(book.own.map(\.json)), "built_in": .array(book.builtIn.map(\.json)),
      "steps": .array(view.steps.map(\.json)),
    ])
  }

  func lines(_ output: Output) -> [String] {
    if views.isEmpty {
      return ["no stage is `auto`: write `granularity: auto` at a stage to leave its level to rules, policy and trials"]
    }
    var lines: [String] = []
    for view in views {
      if !lines.isEmpty { lines.append("") }
      lines.append(output.toned(Shown.words(view.pipeline.name), .strong))
      var facts = Table([.left(""), .giving("")], indent: 2)
      facts.add([.init("in force", .quiet), .init(Shown.words(view.words))])
      if let warning = view.warning { facts.add([.init("", .quiet), .init(Shown.words(warning), .odd)]) }
      let automatic = view.pipeline.automatic.map { "`\($0.name)`" }.joined(separator: ", ")
      facts.add([.init("auto", .quiet), .init(Shown.words(automatic))])
      lines += facts.lines(output)
      lines += rules(view, output) + steps(view, output)
    }
    return lines
  }

  private func rules(_ view: PolicyView, _ output: Output) -> [String] {
    let book = RuleBook(view.pipeline, thresholds: thresholds)
    var table = Table([.left("rule"), .left("stage"), .left("sets"), .giving("when")], indent: 2)
    for (name, rule) in book.own.enumerated().map({ ("\($0 + 1)", $1) }) + book.builtIn.map({ ("built-in", $0) }) {
      let why = rule.why.map { "; \($0)" } ?? ""
      table.add([
        .init(name), .init(Shown.words(rule.stage)), .init(Shown.level(rule.set)), .init(Shown.words(rule.when + why)),
      ])
    }
    return [""] + table.lines(output)
  }

  private func steps(_ view: PolicyView, _ output: Output) -> [String] {
    if view.steps.isEmpty { return [] }
    var table = Table([.left("when"), .left("what"), .left("by"), .giving("levels"), .giving("why")], indent: 2)
    for step in view.steps {
      table.add([
        .init(LocalTime(now: now).text(step.since)),
        .init(step.state.rawValue.replacing("_", with: " "), step.state == .demoted ? .odd : .plain),
        .init(step.source.words), .init(Shown.words(Policy.text(step.levels))), .init(Shown.words(step.reason)),
      ])
    }
    return ["", "  " + output.toned("what was decided", .strong)] + table.lines(output)
  }
}

extension Rule {
  var json: JSON {
    [
      "stage": .string(stage), "when": .string(when), "set": .string(set.rawValue),
      "why": why.map { .string($0) } ?? .null,
    ]
  }
}
