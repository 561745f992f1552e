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
      Field("persistent", .flag, "It answers one request per line and stays."),
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
