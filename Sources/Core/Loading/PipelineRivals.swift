/// Pipelines that stand in each other's way.
extension PipelineCatalog {
  /// What is said of files whose pipelines have one name, by path.
  func twins() -> [String: Diagnostic] {
    let named = Dictionary(grouping: documents.filter { $0.name?.text != nil }) { $0.name?.text ?? "" }
    var twins: [String: Diagnostic] = [:]
    for (name, group) in named where group.count > 1 {
      for document in group {
        guard let mark = document.name?.mark else { continue }
        let others = group.filter { $0.path != document.path }.map { "`\(Display.escaped($0.path))`" }
        twins[document.path] = Diagnostic(
          at: mark, "pipeline `\(Display.brief(name))` is also in \(others.joined(separator: ", "))",
          hint: "give one of them another name")
      }
    }
    return twins
  }

  /// Of two pipelines with the same pattern and priority one never gets a drop, which nobody can want.
  func warnOfRivals(_ loaded: [LoadedPipeline]) -> [LoadedPipeline] {
    var winners: [String: String] = [:]
    for pipeline in loaded.compactMap(\.version?.pipeline).sorted(by: { $0.name > $1.name }) {
      guard let inbox = pipeline.trigger.inbox else { continue }
      winners["\(pipeline.trigger.priority) \(inbox.text)"] = pipeline.name
    }
    return loaded.map { loaded in
      guard let pipeline = loaded.version?.pipeline, let inbox = pipeline.trigger.inbox,
        let winner = winners["\(pipeline.trigger.priority) \(inbox.text)"], winner != pipeline.name,
        let mark = pipeline.origin?.document["trigger"]?["inbox"]?.mark
      else { return loaded }
      var warned = loaded
      warned.diagnostics.append(
        Diagnostic(
          .warning, at: mark, "`\(winner)` takes every drop of this name: pattern and priority are the same",
          hint: "give one of them another `priority` or pattern"))
      warned.diagnostics = warned.diagnostics.quoting(
        Dictionary(documents.map { ($0.path, $0.text) }) { first, _ in first })
      return warned
    }
  }
}
