/// Turns a shape into a JSON Schema, draft 2020-12.
package struct ShapeSchema {
  /// Whether people write the file, in YAML: then every scalar is text too, and may hold `${…}`.
  private let isWritten: Bool

  package init(isWritten: Bool) { self.isWritten = isWritten }

  package func schema(_ shape: Shape) -> JSON {
    switch shape {
    case .text: isWritten ? ["type": ["string", "number", "boolean"]] : ["type": "string"]
    case .name(let rule): filled(["type": "string", "pattern": .string(rule.expression)])
    case .word(let words): filled(["enum": .array(words.map { .string($0) })])
    case .wordOr(let words, let record): ["anyOf": [schema(.word(words)), self.record(record)]]
    case .flag: filled(["type": "boolean"])
    case .whole(let range):
      filled(
        bounded(
          "integer", range.lowerBound == .min ? nil : .integer(range.lowerBound),
          range.upperBound == .max ? nil : .integer(range.upperBound)))
    case .number(let range): filled(bounded("number", bound(range.lowerBound), bound(range.upperBound)))
    case .duration: filled(["type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$"])
    case .size: filled(["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?([kMGT]B|[KMGT]iB|B)$"])
    case .percent: filled(["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$"])
    case .rate: filled(["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?/[smh]$"])
    case .fraction:
      filled([
        "anyOf": [
          ["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$"],
          ["type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1],
        ]
      ])
    case .margin:
      filled(["anyOf": [["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$"], ["type": "number"]]])
    case .pattern: ["type": "string", "minLength": 1, "pattern": "^[^/]+$"]
    case .list(let element, let atLeast):
      atLeast > 0
        ? ["type": "array", "items": schema(element), "minItems": .integer(atLeast)]
        : ["type": "array", "items": schema(element)]
    case .map(let value): ["type": "object", "additionalProperties": schema(value)]
    case .record(let record): self.record(record)
    case .any: [:]
    case .schema: ["type": "object"]
    case .orNull(let shape): ["anyOf": [schema(shape), ["type": "null"]]]
    }
  }

  package func record(_ record: Record) -> JSON {
    var properties: [String: JSON] = [:]
    for field in record.fields { properties[field.key] = self.field(field) }
    var schema: [String: JSON] = [
      "type": "object", "properties": .object(properties), "additionalProperties": .bool(record.isOpen),
    ]
    let required = record.fields.filter(\.isRequired).map { JSON.string($0.key) }
    if !required.isEmpty { schema["required"] = .array(required) }
    return .object(schema)
  }

  private func field(_ field: Field) -> JSON {
    switch field.standing {
    case .acted: schema(field.shape).merging(["description": .string(field.summary)])
    case .notYet:
      schema(field.shape).merging([
        "description": .string(field.summary + " Read but not acted on in this version.")
      ])
    case .later:
      ["not": [:], "description": .string(field.summary + " Comes with a later version.")]
    }
  }

  /// In a file people write, a variable may stand in for anything.
  private func filled(_ schema: JSON) -> JSON {
    isWritten ? ["anyOf": [schema, ["type": "string", "pattern": "\\$\\{"]]] : schema
  }

  private func bounded(_ type: JSON, _ least: JSON?, _ most: JSON?) -> JSON {
    var schema: [String: JSON] = ["type": type]
    schema["minimum"] = least
    schema["maximum"] = most
    return .object(schema)
  }

  private func bound(_ number: Double) -> JSON? {
    number.isFinite ? number == number.rounded() ? .integer(Int(number)) : .number(number) : nil
  }
}
