import Core
import Foundation
import Testing

@Suite struct SchemasTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: Schemas.names) func `the committed schema is what the code prints`(name: String) throws {
    let file = Self.root.appendingPathComponent("docs/schema/\(name).schema.json")
    #expect(try String(contentsOf: file, encoding: .utf8) == Schemas.named(name))
  }

  @Test func `no file lies there that the code does not print`() throws {
    let files = try FileManager.default.contentsOfDirectory(
      atPath: Self.root.appendingPathComponent("docs/schema").path)
    #expect(Set(files) == Set(Schemas.names.map { "\($0).schema.json" }))
    #expect(Schemas.named("pipelin") == nil)
  }

  /// Every path of keys a record knows.
  private func keys(_ record: Record, _ prefix: String = "") -> [String] {
    record.fields.flatMap { field in [prefix + field.key] + keys(field.shape, prefix + field.key + ".") }
  }

  private func keys(_ shape: Shape, _ prefix: String) -> [String] {
    switch shape {
    case .record(let record), .wordOr(_, let record): keys(record, prefix)
    case .list(let element, _): keys(element, prefix)
    case .map(let value): keys(value, prefix)
    case .orNull(let shape): keys(shape, prefix)
    default: []
    }
  }

  private func keys(_ schema: JSON, _ prefix: String = "") -> [String] {
    let own = (schema["properties"]?.object ?? [:]).flatMap { key, value in
      [prefix + key] + keys(value, prefix + key + ".")
    }
    let inner =
      [schema["items"], schema["additionalProperties"]].compactMap { $0 } + (schema["anyOf"]?.array ?? [])
    return own + inner.flatMap { keys($0, prefix) }
  }

  @Test(arguments: ["pipeline", "settings", "manifest"])
  func `every key that is read is in the schema, and no other`(name: String) throws {
    let records = [
      "pipeline": PipelineShape.root, "settings": SettingsShape.root, "manifest": ManifestShape.root,
    ]
    let record = try #require(records[name])
    let schema = try JSON(parsing: Data(try #require(Schemas.named(name)).utf8))
    #expect(Set(keys(schema)) == Set(keys(record)))
    #expect(Set(keys(record)).count > 10)
  }
}
