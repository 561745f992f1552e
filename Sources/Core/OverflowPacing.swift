/// How soon the whole inbox is looked at after events were lost: at once, and slower where that comes again and again.
///
/// As watchman does with its recrawls: from 100 ms up, here to 4 s, so that a scan is never later than 5 s.
package struct OverflowPacing: Sendable {
  private static let rapid = Duration.seconds(10)
  private static let free = 3
  private static let longest = Duration.seconds(4)

  package private(set) var count = 0
  private var last: Duration?
  private var rapidOnes = 0

  package init() {}

  /// Counts one, and says how long to wait before the scan.
  /// - Parameter now: of a monotonic clock.
  package mutating func overflowed(at now: Duration) -> Duration {
    count += 1
    rapidOnes = last.map { now - $0 < Self.rapid } == true ? rapidOnes + 1 : 1
    last = now
    guard rapidOnes > Self.free else { return .zero }
    return min(.milliseconds(100) * (1 << min(rapidOnes - Self.free - 1, 10)), Self.longest)
  }
}
