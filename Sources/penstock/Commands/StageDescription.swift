import Core

/// One registered stage with its parameters and levels.
struct StageDescription: Answer {
  var stage: RegisteredStage

  func json() -> JSON { Self.members(stage).merging(["api": 1]) }

  static func members(_ stage: RegisteredStage) -> JSON {
    let manifest = stage.manifest
    func texts(_ list: [String]) -> JSON { .array(list.map { .string($0) }) }
    return [
      "name": .string(manifest.stage), "version": .string(manifest.version),
      "summary": .string(manifest.summary),
      "program": texts(manifest.program), "params": manifest.params,
      "levels": .object(
        Dictionary(
          manifest.supported.map { ($0.rawValue, .string(manifest.levels[$0] ?? $0.gloss)) }
        ) { first, _ in first }),
      "inputs": texts(manifest.inputs), "outputs": texts(manifest.outputs),
      "passthrough": manifest.passthrough.map(texts) ?? .null, "pure": .bool(manifest.pure),
      "persistent": .bool(manifest.persistent),
      "context": manifest.context.map(texts) ?? .null, "files": texts(manifest.files), "path": .string(stage.path),
    ]
  }

  private func worker(_ rules: WorkerRules) -> String {
    let flight = rules.inFlight == 1 ? "one request at a time" : "\(rules.inFlight) requests at a time"
    let most = rules.most.map { ", at most \(Shown.count($0, "worker"))" } ?? ""
    return "stays and answers \(flight)\(most); replaced after \(Shown.count(rules.calls, "call")), "
      + "\(Quantity.text(rules.age)) or at \(Quantity.text(bytes: rules.memory))"
  }

  func lines(_ output: Output) -> [String] {
    let manifest = stage.manifest
    var lines = [
      output.toned(Shown.words(manifest.stage), .strong) + " " + Shown.words(manifest.version),
      Shown.words(manifest.summary), "",
    ]
    var facts = Table([.left(""), .giving("")], indent: 2)
    func fact(_ name: String, _ value: String) {
      if !value.isEmpty { facts.add([.init(name, .quiet), .init(value)]) }
    }
    fact("program", Shown.words(manifest.program.joined(separator: " ")))
    func list(_ names: [String]) -> String { names.map { Shown.words($0) }.joined(separator: ", ") }
    fact("reads", list(manifest.inputs))
    fact("leaves", list(manifest.outputs))
    fact(
      "cache",
      manifest.pure ? "equal inputs give equal outputs: may be taken from the cache" : "runs every time")
    fact("hands on", manifest.passthrough.map(list) ?? "")
    fact("context", manifest.context.map { $0.isEmpty ? "none of it is read" : list($0) } ?? "")
    fact("worker", manifest.persistent ? worker(manifest.worker ?? WorkerRules()) : "")
    fact("files", list(manifest.files))
    fact("manifest", Shown.words(stage.path))
    lines += facts.lines(output) + ["", output.toned("levels", .strong)]
    var levels = Table([.left(""), .giving("")], indent: 2)
    for level in manifest.supported {
      levels.add([.init(Shown.level(level)), .init(Shown.words(manifest.levels[level] ?? ""))])
    }
    lines += levels.lines(output) + ["", output.toned("params", .strong)]
    let params = ParamTable.rows(manifest.params)
    if params.isEmpty { return lines + ["  none"] }
    var table = Table([.left("name"), .giving("type"), .giving("default"), .giving("is")], indent: 2)
    for row in params { table.add(row) }
    return lines + table.lines(output)
  }
}
