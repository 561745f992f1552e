/// One of the five fields of a cron expression: the numbers it names.
package struct CronField: Sendable, Equatable {
  /// Bit n stands for the number n.
  package let numbers: UInt64
  /// It begins with `*`: it restricts no day, also with a step, as in Vixie cron.
  package let isStar: Bool
  /// It has a `*` or a step: its times come round again and again, and none of them is meant by itself.
  package let isRecurring: Bool

  package func contains(_ number: Int) -> Bool { numbers >> UInt64(number) & 1 == 1 }

  /// The first number that is not below `number`; `nil` where there is none.
  package func next(from number: Int) -> Int? {
    guard number < 64 else { return nil }
    let left = (numbers >> UInt64(number)) << UInt64(number)
    return left == 0 ? nil : left.trailingZeroBitCount
  }

  package var least: Int { numbers.trailingZeroBitCount }

  /// Which of the five.
  enum Kind: String, CaseIterable {
    case minute
    case hour
    case day
    case month
    case weekday

    /// As written: 7 is Sunday too.
    var range: ClosedRange<Int> {
      switch self {
      case .minute: 0...59
      case .hour: 0...23
      case .day: 1...31
      case .month: 1...12
      case .weekday: 0...7
      }
    }

    var names: [String] {
      switch self {
      case .minute, .hour, .day: []
      case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
      case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
      }
    }

    /// A number or a name.
    func number(_ text: Substring) -> Int? {
      if let place = names.firstIndex(of: text.lowercased()) { return place + range.lowerBound }
      guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int(text)
    }

    var words: String {
      let numbers = "\(range.lowerBound) to \(range.upperBound)"
      guard let first = names.first, let last = names.last else { return numbers }
      return "\(numbers), or `\(first.uppercased())` to `\(last.uppercased())`"
    }
  }
}

extension CronField {
  /// - Parameter column: where `text` begins, counted from 0.
  init(_ text: Substring, _ kind: Kind, column: Int) throws(CronExpression.Malformed) {
    var numbers: UInt64 = 0
    var place = column
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      numbers |= try Self.numbers(of: part, kind, column: place)
      place += part.unicodeScalars.count + 1
    }
    if kind == .weekday, numbers >> 7 & 1 == 1 { numbers = numbers & 0x7F | 1 }
    self.numbers = numbers
    isStar = text.first == "*"
    isRecurring = text.contains("*") || text.contains("/")
  }

  private static func numbers(
    of part: Substring, _ kind: Kind, column: Int
  ) throws(CronExpression.Malformed) -> UInt64 {
    func wrong(_ reason: String, _ hint: String? = nil) -> CronExpression.Malformed {
      CronExpression.Malformed(reason: "\(kind.rawValue): " + reason, hint: hint, column: column)
    }
    let shown = Display.brief(String(part))
    let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let ends = pieces[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    var range = kind == .weekday ? 0...6 : kind.range
    if pieces[0] != "*" {
      var bounds: [Int] = []
      for end in ends {
        guard let number = kind.number(end) else { throw wrong(unknown(end, in: shown), advice(end, kind)) }
        guard kind.range.contains(number) else {
          throw wrong("\(number) is not from \(kind.range.lowerBound) to \(kind.range.upperBound)")
        }
        bounds.append(number)
      }
      // `FRI-SUN` ends with the 7 that is Sunday too
      if kind == .weekday, bounds.count == 2, bounds[1] == 0, bounds[0] > 0 { bounds[1] = 7 }
      guard bounds[0] <= bounds[bounds.count - 1] else {
        let (low, high) = (kind == .weekday ? 0 : kind.range.lowerBound, kind == .weekday ? 6 : kind.range.upperBound)
        throw wrong("`\(shown)` goes backwards", "write `\(bounds[0])-\(high),\(low)-\(bounds[1])`")
      }
      range = bounds[0]...bounds[bounds.count - 1]
    }
    var step = 1
    if pieces.count == 2 {
      guard let said = Kind.minute.number(pieces[1]), said > 0 else {
        throw wrong(
          "`\(Display.brief(String(pieces[1])))` is no step in `\(shown)`", "a step is a number such as `*/15`")
      }
      guard pieces[0] == "*" || ends.count == 2 else {
        throw wrong(
          "`\(shown)` has a step and no range", "write `\(pieces[0])-\(kind.range.upperBound)/\(pieces[1])`")
      }
      let most = kind.range.upperBound - kind.range.lowerBound + (kind == .weekday ? 0 : 1)
      guard said < most || said == 1 else {
        throw wrong(
          "a step of \(said) is as long as the whole field",
          kind == .minute ? "for another period write `every: \(said)m` in place of `cron`" : nil)
      }
      step = said
    }
    return stride(from: range.lowerBound, through: range.upperBound, by: step).reduce(0) { $0 | 1 << UInt64($1) }
  }

  private static func unknown(_ word: Substring, in shown: String) -> String {
    word.isEmpty
      ? "a number is missing" + (shown.isEmpty ? "" : " in `\(shown)`")
      : "`\(Display.brief(String(word)))` is no number"
  }

  private static func advice(_ word: Substring, _ kind: Kind) -> String {
    let letters = word.uppercased()
    if letters == "?" { return "write `*`" }
    if letters.contains("#") || letters.hasSuffix("L") || letters.hasSuffix("W") || letters == "H" {
      return "`L`, `W`, `#` and `H` are of other schedulers; a \(kind.rawValue) is \(kind.words)"
    }
    if let name = Nearest.name(to: word.lowercased(), among: kind.names) {
      return "did you mean `\(name.uppercased())`?"
    }
    return "a \(kind.rawValue) is \(kind.words)"
  }
}
