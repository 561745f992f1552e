/// Durations, sizes and shares as people write them: always with their unit.
package enum Quantity {
  package struct Malformed: Error, Equatable {
    package let reason: String
    package let hint: String?

    package init(reason: String, hint: String?) {
      self.reason = reason
      self.hint = hint
    }
  }

  /// `90s`, `1h30m`, `250ms`, `1.5h`.
  package static func duration(_ text: String) throws(Malformed) -> Duration {
    let seconds = try sum(
      text, of: ["ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400],
      also: ["sec": "s", "secs": "s", "min": "m", "mins": "m", "hour": "h", "hours": "h", "day": "d"],
      called: "a duration such as `90s` or `1h30m`", bare: ["s", "m"])
    guard seconds <= 1e9 else { throw Malformed(reason: "`\(Display.brief(text))` is too long a time", hint: nil) }
    return .milliseconds(Int64((seconds * 1000).rounded()))
  }

  /// `10MiB`, `2GB`, `512B`, in bytes.
  package static func size(_ text: String) throws(Malformed) -> Int {
    var units: [String: Double] = ["B": 1]
    for (power, letter) in ["k", "M", "G", "T"].enumerated() {
      units[letter + "B"] = (0...power).reduce(1) { product, _ in product * 1000 }
      units[letter.uppercased() + "iB"] = (0...power).reduce(1) { product, _ in product * 1024 }
    }
    let bytes = try sum(
      text, of: units,
      also: ["K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB", "KB": "kB", "mb": "MB", "gb": "GB", "b": "B"],
      called: "a size such as `10MiB` or `2GB`", bare: ["MiB", "GB"])
    guard bytes <= 9e18 else { throw Malformed(reason: "`\(Display.brief(text))` is too large a size", hint: nil) }
    return Int(bytes.rounded())
  }

  /// `20%`, as 0.2.
  package static func percent(_ text: String) throws(Malformed) -> Double {
    guard text.hasSuffix("%"), let number = decimal(text.dropLast()) else {
      let bare = decimal(text[...]) != nil
      throw Malformed(
        reason: bare
          ? "`\(Display.brief(text))` has no unit" : "`\(Display.brief(text))` is not a percentage such as `20%`",
        hint: decimal(text[...]).map { $0 > 0 && $0 < 1 ? "write `\(Int(($0 * 100).rounded()))%`" : "write `\(text)%`" }
      )
    }
    return number / 100
  }

  /// A part of a whole, `20%` or `0.2`; more than 0 and less than 1.
  package static func fraction(_ text: String) throws(Malformed) -> Double {
    let value = text.hasSuffix("%") ? try percent(text) : decimal(text[...])
    guard let value else {
      throw Malformed(
        reason: "`\(Display.brief(text))` is not a part of a whole such as `20%` or `0.2`", hint: nil)
    }
    guard value > 0, value < 1 else {
      throw Malformed(
        reason: "`\(Display.brief(text))` is not between 0 and 1",
        hint: value > 1 && value < 100 && !text.hasSuffix("%")
          ? "write `\(text)%`" : "a part of a whole is such as `20%` or `0.2`")
    }
    return value
  }

  /// `5/s`, `300/m`, `1000/h`, in a second.
  package static func rate(_ text: String) throws(Malformed) -> Double {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    let seconds: [Substring: Double] = ["s": 1, "m": 60, "h": 3600]
    guard parts.count == 2, let number = decimal(parts[0]), let unit = seconds[parts[1]], number > 0 else {
      let bare = decimal(text[...]) != nil
      throw Malformed(
        reason: bare
          ? "`\(Display.brief(text))` has no unit" : "`\(Display.brief(text))` is not a rate such as `5/s` or `300/m`",
        hint: bare ? "write `\(Display.brief(text))/s`" : nil)
    }
    return number / unit
  }

  /// The shortest text that is read back as `duration`, whole milliseconds.
  package static func spelled(_ duration: Duration) -> String {
    let parts = duration.components
    var rest = parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000
    var text = ""
    for (unit, length) in [("h", Int64(3_600_000)), ("m", 60000), ("s", 1000), ("ms", 1)] where rest >= length {
      text += "\(rest / length)\(unit)"
      rest %= length
    }
    return text.isEmpty ? "0s" : text
  }

  /// `bytes` in the largest unit that leaves a whole number, to be read back.
  package static func spelled(bytes: Int) -> String {
    var (number, units) = (bytes, ["B", "KiB", "MiB", "GiB", "TiB"][...])
    while number != 0, number % 1024 == 0, units.count > 1 {
      number /= 1024
      units = units.dropFirst()
    }
    return "\(number)\(units.first ?? "B")"
  }

  private static func sum(
    _ text: String, of units: [String: Double], also slips: [String: String], called noun: String,
    bare: [String]
  ) throws(Malformed) -> Double {
    if decimal(text[...]) != nil {
      throw Malformed(
        reason: "`\(Display.brief(text))` has no unit",
        hint: "write " + bare.map { "`\(Display.brief(text))\($0)`" }.joined(separator: " or "))
    }
    var total = 0.0
    var last = Double.infinity
    var rest = text[...]
    repeat {
      let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
      rest = rest.dropFirst(digits.count)
      let unit = String(rest.prefix { $0.isASCII && $0.isLetter })
      rest = rest.dropFirst(unit.count)
      guard let number = decimal(digits), !unit.isEmpty, text.utf8.count <= 40 else {
        throw Malformed(reason: "`\(Display.brief(text))` is not \(noun)", hint: nil)
      }
      guard let factor = units[unit] else {
        let meant = slips[unit] ?? Nearest.name(to: unit, among: units.keys)
        throw Malformed(
          reason: "`\(unit)` is no unit in `\(Display.brief(text))`",
          hint: meant.map { "did you mean `\($0)`?" }
            ?? "units: "
            + units.sorted { $0.value < $1.value }.map { "`\($0.key)`" }.joined(separator: ", "))
      }
      guard factor < last else {
        throw Malformed(reason: "`\(Display.brief(text))` does not go from the larger unit to the smaller", hint: nil)
      }
      last = factor
      total += number * factor
    } while !rest.isEmpty
    return total
  }

  /// Digits with at most one point, no sign, no exponent.
  private static func decimal(_ text: Substring) -> Double? {
    guard text.first?.isNumber == true, text.last?.isNumber == true,
      text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") })
    else { return nil }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }
}
