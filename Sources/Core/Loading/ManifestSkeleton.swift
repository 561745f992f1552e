/// A manifest to begin with, for a program that somebody already has.
package struct ManifestSkeleton: Sendable, Equatable {
  /// `own/dedupe`.
  package var stage: String
  package var summary: String
  /// With `${kit}`, `${input}` and the like.
  package var program: [String]
  /// Relative to the kit.
  package var files: [String]

  package init(stage: String, summary: String, program: [String], files: [String]) {
    self.stage = stage
    self.summary = summary
    self.program = program
    self.files = files
  }

  /// The text of `stages/<stage>.yaml`, commented; `check` accepts it as it is.
  package var text: String {
    let inputs = usesInput ? "[input]" : "[]"
    return """
      # stages/\(stage).yaml: a pipeline says `uses: \(stage)`, and `penstock check` tells what is wrong here.
      stage: \(stage)
      version: 1.0.0
      summary: \(Self.quoted(summary))
      # what it works on comes as one JSON object on stdin; `${input}` in `run` is the path of the first input,
      # `${params.x}` a parameter, `${home}` the workspace, `${out}` the working directory
      run: \(Self.list(program))
      # a JSON Schema (a part of draft 2020-12): the parameters in a pipeline are checked against it
      params: { type: object, additionalProperties: false, properties: \(properties) }
      # what each level does; one that is not listed is not supported
      granularity:
        coarse: "in full"
        # medium: "on a sample: `stage.sample` of the request says which part of the records"
        # fine: "the simplified algorithm"
        # off: "bypassed"
      # names of what it reads and leaves, for people; `passthrough: […]` chooses the inputs that `off` hands on
      inputs: \(inputs)
      outputs: []
      # true: equal inputs and parameters give equal outputs, so it may be taken from the cache
      pure: false
      # true: it answers one request per line and stays (Python: penstock_stages.contract does that)
      persistent: false
      # relative to `stages/`; their content is its identity
      files: \(Self.list(files))

      """
  }

  private var usesInput: Bool { program.contains { $0.contains("${input}") } }

  /// Parameters that the argv names, each still of any type.
  private var properties: String {
    var names: [String] = []
    for word in program {
      for reference in (try? Template(parsing: word).references) ?? [] where reference.scope == "params" {
        if !names.contains(reference.key) { names.append(reference.key) }
      }
    }
    if names.isEmpty { return "{}" }
    return "{ " + names.map { "\($0): { description: \"\" }" }.joined(separator: ", ") + " }"
  }

  private static func list(_ words: [String]) -> String {
    "[" + words.map(quoted).joined(separator: ", ") + "]"
  }

  /// JSON, which YAML reads as it is.
  private static func quoted(_ text: String) -> String { (try? JSON.string(text).line()) ?? "\"\"" }
}
