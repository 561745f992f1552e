import Core

extension Pipeline {
  /// That no stage is called so, and which are.
  func words(onMissing name: String) -> String {
    let names = stages.map(\.name)
    let known = "there are `\(names.joined(separator: "`, `"))`"
    let hint = Nearest.name(to: name, among: names).map { "did you mean `\($0)`?" } ?? known
    return "pipeline `\(self.name)` has no stage `\(Display.brief(name))`: \(hint)"
  }

  /// Why a stage cannot have a level; `nil` where it can.
  func refusal(of level: Granularity, _ stage: Stage) -> String? {
    guard !supports(level, stage) else { return nil }
    let known = (manifest(of: stage)?.supported ?? []).map { "`\($0.rawValue)`" }.joined(separator: ", ")
    let uses = stage.uses.map { " (`\($0)`)" } ?? ""
    return "stage `\(stage.name)`\(uses) does not support `\(level.rawValue)`: it supports \(known)"
  }
}
