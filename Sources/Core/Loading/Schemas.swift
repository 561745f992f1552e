import Foundation

/// The JSON Schemas `penstock schema NAME` prints, made from what the readers themselves check by.
package enum Schemas {
  package static let names = [
    "pipeline", "settings", "manifest", "stage-envelope", "stage-reply", "hook-envelope", "hook-reply",
  ]

  /// The schema as text, keys in order, with a line end; `nil` for a name that is none of `names`.
  package static func named(_ name: String) -> String? {
    guard let (record, isWritten) = record(name) else { return nil }
    let schema = ShapeSchema(isWritten: isWritten).record(record).merging([
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": .string("Penstock: " + titles(name)),
    ])
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(schema)).map { String(decoding: $0, as: UTF8.self) + "\n" }
  }

  private static func record(_ name: String) -> (Record, isWritten: Bool)? {
    switch name {
    case "pipeline": (PipelineShape.root, true)
    case "settings": (SettingsShape.root, true)
    case "manifest": (ManifestShape.root, true)
    case "stage-envelope": (EnvelopeShapes.stageEnvelope, false)
    case "stage-reply": (EnvelopeShapes.stageReply, false)
    case "hook-envelope": (EnvelopeShapes.hookEnvelope, false)
    case "hook-reply": (EnvelopeShapes.hookReply, false)
    default: nil
    }
  }

  private static func titles(_ name: String) -> String {
    switch name {
    case "pipeline": "a pipeline (pipelines/*.yaml)"
    case "settings": "the settings (etc/penstock.yaml)"
    case "manifest": "a registered stage (stages/*/*.yaml)"
    case "stage-envelope": "what a stage gets on stdin"
    case "stage-reply": "what a stage gives on stdout"
    case "hook-envelope": "what a hook gets on stdin"
    default: "what a hook gives on stdout"
    }
  }
}
