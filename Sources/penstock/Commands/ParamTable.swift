import Core

/// The parameters of a stage out of their JSON Schema.
enum ParamTable {
  static func rows(_ schema: JSON) -> [[Table.Cell]] {
    let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
    return (schema["properties"]?.object ?? [:]).sorted { $0.key < $1.key }.map { name, param in
      let fallback = param["default"].map { Shown.value($0).isEmpty ? "\"\"" : Shown.value($0) }
      return [
        .init(Shown.words(name), .strong), .init(type(param)),
        .init(fallback ?? (required.contains(name) ? "required" : "")),
        .init(Shown.words(param["description"]?.string ?? "")),
      ]
    }
  }

  private static func type(_ param: JSON) -> String {
    if let words = param["enum"]?.array { return words.map(Shown.value).joined(separator: " | ") }
    let types = param["type"]?.array?.compactMap(\.string) ?? [param["type"]?.string].compactMap { $0 }
    var text = types.joined(separator: " or ")
    switch (param["minimum"].map(Shown.value), param["maximum"].map(Shown.value)) {
    case (let low?, let high?): text += " \(low)…\(high)"
    case (let low?, nil): text += " from \(low)"
    case (nil, let high?): text += " up to \(high)"
    case (nil, nil): break
    }
    return Shown.words(text)
  }
}
