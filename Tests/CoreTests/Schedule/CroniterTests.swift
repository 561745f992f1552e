import Foundation
import Testing

@testable import Core

/// The calendar against croniter, on 10,000 expressions that `bench/schedule/croniter_corpus.py` wrote down.
@Suite struct CroniterTests {
  private struct Line {
    let text: String
    let zone: String
    /// Seconds since 1970; the start, then the slots.
    let moments: [Int]

    init?(_ line: Substring) {
      let parts = line.split(separator: ";")
      guard parts.count == 4, let start = Int(parts[2]) else { return nil }
      (text, zone) = (String(parts[0]), String(parts[1]))
      moments = parts[3].split(separator: " ").compactMap { Int($0) }.reduce(into: [start * 60]) { all, step in
        all.append((all.last ?? 0) + step * 60)
      }
    }
  }

  /// Where croniter differs the walk over every minute must agree with us.
  ///
  /// Around a change of the clocks croniter has no rule of its own, and from the end of February it passes over a
  /// 1 March that a step in the day field names.
  @Test func `croniter has the same slots, and where not, a walk over every minute has ours`() throws {
    let place = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/croniter.txt")
    let lines = try String(contentsOf: place, encoding: .utf8).split(separator: "\n").compactMap { Line($0) }
    #expect(lines.count == 10_000)
    var zones: [String: ZoneRules] = [:]
    var (compared, differ) = (0, 0)
    for line in lines {
      let zone = try zones[line.zone] ?? #require(try ZoneRules(ofFile: line.zone))
      zones[line.zone] = zone
      let slots = CronSlots(try CronExpression(line.text), in: zone)
      for (before, theirs) in zip(line.moments, line.moments.dropFirst()) {
        compared += 1
        guard let ours = slots.next(after: before), ours != theirs else { continue }
        differ += 1
        let start = max(before / 60 + 1, min(ours, theirs) / 60 - 2880)
        let walk = Brute(Self.numbers(line.text)).slots(in: start..<max(ours, theirs) / 60 + 1) {
          zone.offset(at: $0 * 60) / 60
        }
        #expect(
          walk.first == ours / 60, "\(line.text) in \(line.zone) after \(before): \(ours), croniter has \(theirs)")
      }
    }
    #expect(compared == 50_000 && differ == 13, "\(differ) of \(compared) differ")
  }

  /// Names as the numbers they stand for.
  private static func numbers(_ text: String) -> String {
    var text = text
    for kind in [CronField.Kind.month, .weekday] {
      for (place, name) in kind.names.enumerated() {
        text = text.replacing(name, with: String(place + kind.range.lowerBound))
      }
    }
    return text
  }
}
