extension ZoneRules {
  /// Changes that come of a rule are written out until the end of this year.
  private static let lastYear = 2200

  /// Reads a file of the tz database, TZif (RFC 9636); `nil` for what is none.
  package init?(tzif bytes: [UInt8]) {
    guard let first = TZifBlock(bytes[...], timeSize: 4) else { return nil }
    // version 1 has the years 1901 to 2037 only; what comes after it has 64 bits
    var block = first
    var footer = ""
    if first.version >= UInt8(ascii: "2") {
      guard let second = TZifBlock(bytes[first.end...], timeSize: 8) else { return nil }
      block = second
      let text = bytes[second.end...].dropFirst().prefix { $0 != UInt8(ascii: "\n") }
      footer = String(decoding: text, as: UTF8.self)
    }
    var (initial, changes) = (block.first, block.changes)
    if !footer.isEmpty {
      guard let rule = PosixZone(footer) else { return nil }
      let last = changes.last?.start
      if last == nil { initial = rule.standard }
      let from = last.map { CivilDay(number: $0.floored(by: 86400)).year } ?? 1970
      for year in min(from, Self.lastYear)...Self.lastYear {
        changes += rule.changes(in: year).filter { $0.start > last ?? .min }
      }
    }
    self.init(first: initial, changes: changes)
  }
}

/// One block of a TZif file: header and data.
private struct TZifBlock {
  /// Old files begin with the Big Bang, -2^59.
  private static let far = 1 << 60

  let version: UInt8
  /// Before the first change.
  let first: Int
  let changes: [ZoneRules.Span]
  /// Where the next block or the footer begins.
  let end: Int

  init?(_ bytes: ArraySlice<UInt8>, timeSize: Int) {
    let head = bytes.startIndex
    guard bytes.count >= 44, bytes.prefix(4).elementsEqual("TZif".utf8) else { return nil }
    version = bytes[head + 4]
    func number(at place: Int, size: Int) -> Int {
      var value = 0
      for byte in bytes[place..<(place + size)] { value = value << 8 | Int(byte) }
      return size == 4 ? Int(Int32(truncatingIfNeeded: value)) : value
    }
    let counts = (0..<6).map { number(at: head + 20 + $0 * 4, size: 4) }
    guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
    let (utc, standards, leaps, times, types, letters) = (
      counts[0], counts[1], counts[2], counts[3], counts[4], counts[5]
    )
    let indices = head + 44 + times * timeSize
    let kinds = indices + times
    end = kinds + types * 6 + letters + leaps * (timeSize + 4) + standards + utc
    guard types > 0, end <= bytes.endIndex else { return nil }
    let offsets = (0..<types).map { number(at: kinds + $0 * 6, size: 4) }
    guard offsets.allSatisfy({ abs($0) < 2 * 86400 }) else { return nil }
    var changes: [ZoneRules.Span] = []
    for change in 0..<times {
      let kind = Int(bytes[indices + change])
      let start = number(at: head + 44 + change * timeSize, size: timeSize)
      guard kind < types, abs(start / 2) < Self.far else { return nil }
      guard start > changes.last?.start ?? .min else { return nil }
      changes.append(ZoneRules.Span(start: start, offset: offsets[kind]))
    }
    first = offsets[0]
    self.changes = changes
  }
}

extension ZoneRules {
  /// The rules that a `TZ` string of POSIX says, such as `CET-1CEST,M3.5.0,M10.5.0/3`; `nil` for what is none.
  package init?(posix text: String) {
    guard let rule = PosixZone(text) else { return nil }
    self.init(first: rule.standard, changes: (1970...Self.lastYear).flatMap { rule.changes(in: $0) })
  }
}
