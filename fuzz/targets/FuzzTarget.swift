/// A function that must stand whatever bytes it is given, and what must hold of its answer.
///
/// Under libFuzzer `fuzz/driver.swift` calls it; without, the tests replay the corpus through it.
public struct FuzzTarget: Sendable {
  /// The name of its corpus, too.
  public let name: String
  /// - Throws: `Broken` where a property does not hold.
  public let check: @Sendable ([UInt8]) throws -> Void

  public static let all = [
    FuzzTarget(name: "pipelines", check: Pipelines.check),
    FuzzTarget(name: "manifests", check: Manifests.check),
    FuzzTarget(name: "replies", check: Replies.check),
    FuzzTarget(name: "patterns", check: Patterns.check),
    FuzzTarget(name: "display", check: Displayed.check),
    FuzzTarget(name: "inotify", check: InotifyBuffers.check),
    FuzzTarget(name: "secrets", check: Secrets.check),
    FuzzTarget(name: "quantities", check: Quantities.check),
    FuzzTarget(name: "schedules", check: Schedules.check),
  ]

  public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// A property that does not hold.
struct Broken: Error, CustomStringConvertible {
  let description: String
}

/// - Throws: `Broken` with `property` where `condition` is false.
func hold(_ condition: Bool, _ property: @autoclosure () -> String) throws {
  if !condition { throw Broken(description: property()) }
}

extension Array where Element == UInt8 {
  /// The parts between newlines, at most `count`; the last takes the rest.
  func parts(_ count: Int) -> [[UInt8]] {
    split(separator: 0x0A, maxSplits: count - 1, omittingEmptySubsequences: false).map(Array.init)
  }

  func contains(_ other: [UInt8]) -> Bool {
    guard other.count <= self.count else { return false }
    return indices.dropLast(other.count - 1).contains { self[$0...].starts(with: other) }
  }
}
