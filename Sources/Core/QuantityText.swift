import Foundation

extension Quantity {
  /// `1h30m`, `2.5s`, `250ms`, `1 day` as `1d`: at most two units.
  package static func text(_ duration: Duration) -> String {
    let seconds = duration / .seconds(1)
    if seconds <= 0 { return "0s" }
    if seconds <= 0.999 { return "\(Int((seconds * 1000).rounded(.up)))ms" }
    if seconds < 59.95 {
      let tenths = (seconds * 10).rounded() / 10
      return tenths == tenths.rounded() ? "\(Int(tenths))s" : "\(tenths)s"
    }
    let whole = Int(seconds.rounded())
    let parts = [(whole / 86400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")]
    let first = parts.firstIndex { $0.0 > 0 } ?? 3
    return parts[first..<min(first + 2, 4)].filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
  }

  /// `512 B`, `1.5 MiB`.
  package static func text(bytes: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 1023.5, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    if unit == 0 { return "\(bytes) B" }
    let digits = value < 9.95 ? tenths(value) : String(Int(value.rounded()))
    return "\(digits) \(units[unit])"
  }

  /// With one digit after the point.
  private static func tenths(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}

extension Quantity {
  /// `95%`, `99.5%`: of a share, 0...1.
  package static func text(percent share: Double) -> String {
    let tenths = (share * 1000).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths))%" : "\(tenths)%"
  }
}
