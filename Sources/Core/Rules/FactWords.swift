import Foundation

extension Rule {
  /// Names of columns that stand in the condition, in the order of `columns`.
  ///
  /// Text in quotes is no name; names are found as SQLite finds them, whatever their case.
  package var mentioned: [String] {
    var names: Set<String> = []
    var rest = when[...]
    while let first = rest.first {
      if first == "'" {
        rest = rest.dropFirst().drop { $0 != "'" }.dropFirst()
      } else if first.isLetter || first == "_" {
        let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        names.insert(name.lowercased())
        rest = rest.dropFirst(name.count)
      } else {
        rest = rest.dropFirst()
      }
    }
    return Self.columns.filter { names.contains($0) }
  }

  /// The facts that the condition was asked about, `volume 1,200,000, latency_p95 71.2`.
  package func facts(on row: Row) -> String {
    let values = Dictionary(uniqueKeysWithValues: zip(Facts.columns, row.facts.values))
    return mentioned.compactMap { name in
      if name == "bytes" { return row.condition.bytes.map { "bytes \(Facts.text($0))" } }
      guard let value = values[name] else { return nil }
      return "\(name) \(Facts.text(value))"
    }.joined(separator: ", ")
  }
}

extension Facts {
  /// `1,200,000`.
  package static func text(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + text
  }

  /// `71.2`, four digits that count.
  package static func text(_ number: Double) -> String {
    abs(number) >= 1000 && abs(number) < 1e15 ? text(Int(number.rounded())) : String(format: "%.4g", number)
  }

  package static func text(_ value: JSON) -> String {
    switch value {
    case .integer(let number): text(number)
    case .number(let number): text(number)
    case .string(let text): text
    default: "unknown"
    }
  }
}
