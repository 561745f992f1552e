import Core

/// How many runs have their first attempt recorded before a place is free for them.
///
/// A program that takes less time than a commit would leave its place idle while the next attempt is recorded. So
/// as many attempts are recorded ahead as will begin within about two commits: dozens for programs of milliseconds,
/// none for programs of seconds.
struct Foresight: Sendable {
  /// More would only be a longer list of what a crash interrupts.
  private static let most = 64
  /// What the latest figure counts beside all before it.
  private static let weight = 0.1

  /// Seconds that a run takes its place, and that a commit takes; `nil` until one was seen.
  private var held: Double?
  private var commit: Double?

  /// A run gave its place back.
  mutating func note(held time: Duration) { held = Self.blend(held, time / .seconds(1)) }

  /// A change was recorded.
  mutating func note(commit time: Duration) { commit = Self.blend(commit, time / .seconds(1)) }

  /// - Parameter places: runs at the same time.
  func depth(places: Int) -> Int {
    guard let held, let commit, held > 0 else { return 0 }
    return Int(min(Double(Self.most), Double(places) * 2 * commit / held))
  }

  private static func blend(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return old + (new - old) * weight
  }
}
