import Core

/// Finds where the items of a stage come from.
struct FlowSource {
  let session: RunSession

  /// - Throws: `BadItem` where there are none, naming what there is.
  func source(of stage: Stage) throws(BadItem) -> ItemFeed.Source {
    let inputs = session.inputs(of: stage)
    if let name = stage.each?.from {
      if let file = inputs.last(where: { $0.name == name }) { return Self.file(file) }
      throw Self.missing("no output `\(name)`", inputs)
    }
    // what an earlier stage made of its items in this run: by their places, so that none is done twice
    let before = session.pipeline.stages.filter { stage.needs.contains($0.name) && $0.each != nil }
    if let worked = before.last(where: { own in session.left(by: own).contains { $0.name == FlowOutputs.items } }) {
      return .stage(worked.name)
    }
    // one that was bypassed hands on what it was given
    if let bypassed = before.last { return try source(of: bypassed) }
    if let file = inputs.last(where: { $0.name == FlowOutputs.items }) { return Self.file(file) }
    throw Self.missing("no items", inputs)
  }

  private static func file(_ part: Envelope.FilePart) -> ItemFeed.Source {
    .file(path: part.path, shown: part.stage.map { "\($0)/\(part.name)" } ?? part.name)
  }

  private static func missing(_ what: String, _ inputs: [Envelope.FilePart]) -> BadItem {
    let known = inputs.map { "`\(Display.brief($0.name))`" }.joined(separator: ", ")
    return BadItem("\(what) among its inputs: " + (known.isEmpty ? "it has none" : "it has \(known)"))
  }
}
