/// Puts stages in an order in which each comes after those it needs.
package struct StageGraph {
  package private(set) var findings = Findings()
  private let names: [String]
  private let disabled: [String]

  /// Where a stage and its `needs` stand.
  package struct Place: Sendable {
    package var stage: Mark
    package var needs: Node?

    package init(stage: Mark, needs: Node?) {
      self.stage = stage
      self.needs = needs
    }

    fileprivate func mark(of name: String) -> Mark {
      needs?.elements?.first { $0.text == name }?.mark ?? needs?.mark ?? stage
    }
  }

  /// - Parameter names: of all stages there are, in the order of the file.
  package init(names: [String], disabled: [String] = []) {
    self.names = names
    self.disabled = disabled
  }

  /// The order of the file, but for stages that need a later one.
  package mutating func order(_ stages: [Stage], _ places: [Place]) -> [Stage] {
    for (stage, place) in zip(stages, places) { check(stage, place) }
    var waiting = Array(zip(stages, places))
    var ordered: [Stage] = []
    let known = Set(stages.map(\.name))
    var done: Set<String> = []
    while let next = waiting.firstIndex(where: { stage, _ in
      stage.needs.allSatisfy { done.contains($0) || !known.contains($0) || $0 == stage.name }
    }) {
      let (stage, _) = waiting.remove(at: next)
      ordered.append(stage)
      done.insert(stage.name)
    }
    if !waiting.isEmpty { reportCircle(waiting) }
    return ordered
  }

  private mutating func check(_ stage: Stage, _ place: Place) {
    if place.needs != nil { check(stage.needs, of: stage.name, place) }
  }

  /// Checks the names a stage needs; also for one with other mistakes, which will never be ordered.
  package mutating func check(_ needs: [String], of name: String, _ place: Place) {
    for need in needs {
      let mark = place.mark(of: need)
      if need == name {
        findings.error("stage `\(need)` needs itself", at: mark)
      } else if disabled.contains(need) {
        findings.error("stage `\(name)` needs `\(need)`, which is removed", at: mark)
      } else if !names.contains(need), !need.contains("$") {
        findings.error(
          "stage `\(name)` needs `\(Display.brief(need))`, which is no stage", at: mark,
          hint: Nearest.hint(for: need, among: names.filter { $0 != name }, called: "stages"))
      }
    }
  }

  /// Follows the needs of what could not be placed until a stage comes again.
  private mutating func reportCircle(_ waiting: [(Stage, Place)]) {
    let left = Dictionary(waiting.map { ($0.0.name, $0) }) { first, _ in first }
    var path: [String] = []
    var name = waiting.first?.0.name
    while let current = name, !path.contains(current) {
      path.append(current)
      name = left[current]?.0.needs.first { $0 != current && left[$0] != nil }
    }
    guard let again = name, let start = path.firstIndex(of: again) else { return }
    let circle = path[start...] + [again]
    let words = circle.map { "`\($0)`" }.joined(separator: " needs ")
    let (_, place) = left[again] ?? waiting[0]
    findings.error(
      "stages need each other in a circle: \(words)", at: place.mark(of: path[(start + 1)...].first ?? again))
  }
}
