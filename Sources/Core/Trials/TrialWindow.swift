/// The hours of each day in which trials may run, local time; one that ends before it begins goes over midnight.
package struct TrialWindow: Sendable, Equatable, Codable {
  /// Minutes since midnight, 0..<1440.
  package var from: Int
  /// The first minute that is not of it.
  package var to: Int

  package static let day = 1440

  package init(from: Int, to: Int) {
    self.from = from
    self.to = to
  }

  /// Reads `01:00-04:00`; `nil` where it is none.
  package init?(_ text: String) {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Self.minute($0) }
    guard ends.count == 2, let from = ends[0], let to = ends[1], from != to, from < Self.day else { return nil }
    self.init(from: from, to: to % Self.day)
  }

  private static func minute(_ text: Substring) -> Int? {
    let parts = text.trimmingPrefix { $0 == " " }.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let hour = Int(parts[0]), parts[1].prefix(2).count == 2,
      let minute = Int(parts[1].prefix(2)), parts[1].dropFirst(2).allSatisfy({ $0 == " " }),
      (0...24).contains(hour), (0..<60).contains(minute), hour * 60 + minute <= day
    else { return nil }
    return hour * 60 + minute
  }

  package func contains(minute: Int) -> Bool {
    from < to ? (from..<to).contains(minute) : minute >= from || minute < to
  }

  /// Minutes from this one until it opens; 0 while it is open.
  package func wait(at minute: Int) -> Int {
    contains(minute: minute) ? 0 : (from - minute + Self.day) % Self.day
  }

  /// Minutes until it closes; 0 where it is not open.
  package func left(at minute: Int) -> Int {
    guard contains(minute: minute) else { return 0 }
    let left = (to - minute + Self.day) % Self.day
    return left == 0 ? Self.day : left
  }

  /// Minutes from when it opens until it closes.
  package var length: Int { to > from ? to - from : to - from + Self.day }

  package var text: String { Self.text(from) + "-" + Self.text(to == 0 ? Self.day : to) }

  private static func text(_ minute: Int) -> String {
    let (hour, rest) = minute.quotientAndRemainder(dividingBy: 60)
    return (hour < 10 ? "0" : "") + "\(hour):" + (rest < 10 ? "0" : "") + "\(rest)"
  }
}
