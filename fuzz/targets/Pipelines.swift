import Core
import Foundation
import Host

/// The bytes of a pipeline file, through all of the loading, to what a run would be given.
enum Pipelines {
  private static let path = "pipelines/fuzz.yaml"

  private static let context = PipelineCatalog.Context(
    stages: ["tabular/ingest": stage("tabular/ingest"), "tabular/train": stage("tabular/train")],
    environment: ["DATA_ROOT": "samples", "API_TOKEN": "do-not-show"], settings: Settings(),
    now: Date(timeIntervalSince1970: 0), sha256: { String($0.count) })

  private static let base: PipelineDocument? = {
    let text = """
      pipeline: { name: base/tabular }
      vars: { horizon: 1 }
      stages:
        - { name: ingest, uses: tabular/ingest }
        - { name: train, uses: tabular/train, granularity: auto, params: { horizon: "${vars.horizon}" } }
      """
    return document("pipelines/base/tabular.yaml", Array(text.utf8))
  }()

  static func check(_ bytes: [UInt8]) throws {
    let root: Node
    do { root = try YAMLDocument.parse(bytes, file: path) } catch {
      return try sound(error, bytes)
    }
    let document = PipelineDocument(path: path, text: String(decoding: bytes, as: UTF8.self), root: root)
    let catalog = PipelineCatalog(documents: [document] + [base].compactMap { $0 }, context: context)
    for loaded in catalog.load() {
      for diagnostic in loaded.diagnostics { try sound(diagnostic, bytes) }
      try hold(loaded.version == nil || loaded.isValid, "a version in spite of errors")
      guard let pipeline = loaded.version?.pipeline else { continue }
      let text = try JSONEncoder().encode(pipeline)
      try hold(try JSONDecoder().decode(Pipeline.self, from: text) == pipeline, "it is not read back as written")
      do {
        let resolved = try pipeline.resolved(captures: ["pair": "${home}\u{1B}"])
        for stage in resolved.stages {
          _ = try? ArgumentTemplate.expand(
            argv: stage.program, input: "/in", home: "/home", out: "/out", params: stage.params)
        }
      } catch { try error.diagnostics.forEach { try sound($0, bytes) } }
      _ = try? pipeline.resolved(captures: [:], set: ["horizon": "${vars.horizon}"])
    }
  }

  /// A person must be able to read it, and to find the place.
  private static func sound(_ diagnostic: Diagnostic, _ bytes: [UInt8]) throws {
    let rendered = diagnostic.rendered
    let bad = rendered.unicodeScalars.first { $0 != "\n" && Displayed.isObeyedOrHidden($0) }
    try hold(bad == nil, "a diagnostic holds U+\(String(bad?.value ?? 0, radix: 16)): \(rendered.debugDescription)")
    try hold(!rendered.contains("do-not-show"), "a diagnostic tells a secret: \(rendered)")
    let lines = bytes.count { $0 == 0x0A || $0 == 0x0D || $0 == 0x85 || $0 == 0xA8 || $0 == 0xA9 } + 1
    let isInside = diagnostic.mark.line >= 1 && diagnostic.mark.column >= 1 && diagnostic.mark.line <= lines + 1
    try hold(isInside || diagnostic.mark.file != path, "a place outside the file: \(diagnostic.mark.displayed)")
    _ = try diagnostic.json.line()
  }

  private static func document(_ path: String, _ bytes: [UInt8]) -> PipelineDocument? {
    guard let root = try? YAMLDocument.parse(bytes, file: path) else { return nil }
    return PipelineDocument(path: path, text: String(decoding: bytes, as: UTF8.self), root: root)
  }

  private static func stage(_ name: String) -> RegisteredStage {
    RegisteredStage(
      Manifest(
        stage: name, version: "1", summary: "", program: ["${kit}/bin/x", "${params.horizon}"],
        params: [
          "properties": [
            "horizon": ["type": "integer", "minimum": 1, "maximum": 9], "model": ["enum": ["ridge", "gbm"]],
            "columns": ["type": "array", "items": ["type": "string"], "minItems": 1],
          ]
        ],
        levels: [.medium: "sampled", .off: "bypassed"], inputs: ["table"], outputs: ["model"], kit: "/kit"))
  }
}
