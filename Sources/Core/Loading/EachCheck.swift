/// Checks that stages with `each` have items to take.
package struct EachCheck {
  package private(set) var findings = Findings()
  private let manifests: [String: Manifest]

  package init(manifests: [String: Manifest]) { self.manifests = manifests }

  /// - Parameter mark: where `each` stands.
  package mutating func check(_ stage: Stage, among stages: [Stage], at mark: Mark) {
    guard let each = stage.each else { return }
    let before = stages.filter { stage.needs.contains($0.name) }
    guard let from = each.from else {
      if before.contains(where: { $0.each != nil }) { return }
      findings.error(
        "`each` of stage `\(stage.name)` would take the items of an `each` stage that it needs, and it needs none",
        at: mark, hint: "name the output whose lines are the items: `each: { from: … }`; that of the drop is `input`")
      return
    }
    // what a program of one's own leaves only it knows, and what leaves nothing hands its inputs on
    let known = before.map { $0.each != nil ? ["items", "failed"] : $0.uses.flatMap { manifests[$0]?.outputs } ?? [] }
    guard !before.isEmpty, known.allSatisfy({ !$0.isEmpty }), !known.joined().contains(from) else { return }
    let names = known.joined().map { $0 }
    findings.error(
      "stage `\(stage.name)`: no stage it needs leaves an output `\(Display.brief(from))`", at: mark,
      hint: Nearest.hint(for: from, among: names, called: "outputs"))
  }
}
