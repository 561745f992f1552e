/// The keys of a stage manifest.
package enum ManifestShape {
  package static let root = Record(
    "a manifest",
    [
      Field(
        "stage", .name(.path), required: true, "What pipelines call it, the path of the file in `stages/`."),
      Field("version", .text, required: true, "Of the stage, for people."),
      Field("summary", .text, required: true, "One line."),
      Field("run", .list(.text, atLeast: 1), required: true, "The program; `${kit}` is the kit's directory."),
      Field("params", .schema, "A JSON Schema of the parameters, a part of draft 2020-12."),
      Field(
        "granularity",
        .record(
          Record(
            "`granularity`",
            Granularity.allCases.map { level in
              Field(level.rawValue, .text, "What the stage does with `\(level.rawValue)` (\(level.gloss)).")
            })), "What each supported level does; a level that is not listed is not supported."),
      Field("inputs", .list(.name(.plain), atLeast: 0), "Names of what it reads."),
      Field("outputs", .list(.name(.plain), atLeast: 0), "Names of what it leaves."),
      Field("passthrough", .list(.name(.plain), atLeast: 0), "The inputs handed on when it is `off`."),
      Field("pure", .flag, "Equal inputs give equal outputs, so it may be taken from the cache."),
      Field("splits", .flag, "Its outcome depends on how a trial splits the rows into folds."),
      Field("persistent", .flag, "It answers one request per line and stays."),
      Field(
        "worker",
        .record(
          Record(
            "`worker`",
            [
              Field("in_flight", .whole(1...10000), "Requests one worker has in hand at a time; 1 if unsaid."),
              Field("most", .whole(1...1000), "Workers at a time; as many as are needed if unsaid."),
              Field("calls", .whole(1...1_000_000_000), "A worker is replaced after so many calls."),
              Field("age", .duration(atLeast: .seconds(1)), "A worker is replaced after this time; 1h if unsaid."),
              Field("memory", .size, "A worker whose resident set grows larger is replaced; 2GiB if unsaid."),
            ])), "How its workers are kept, where it is `persistent`."),
      Field("context", .list(.text, atLeast: 0), "The members of the context it reads; all if unsaid."),
      Field("files", .list(.text, atLeast: 0), "Relative to the kit; their content is its identity."),
    ])
}

/// The part of JSON Schema that parameters are checked against.
package enum ParamSchema {
  package static let keywords = [
    "type", "enum", "default", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "items",
    "properties",
    "additionalProperties", "required", "description", "title",
  ]
  package static let types = ["null", "boolean", "integer", "number", "string", "array", "object"]
}
