import Foundation

/// What /proc says of the processes of this machine.
enum ScenarioProcesses {
  /// The processes whose environment has `mark` as one of its variables: a program hands it on to all it starts.
  static func marked(_ mark: String) -> [Int32] {
    all.filter { pid in
      guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
      return environment.split(separator: 0).contains { $0.elementsEqual(mark.utf8) }
    }
  }

  static func exists(_ pid: Int32) -> Bool { FileManager.default.fileExists(atPath: "/proc/\(pid)/environ") }

  private static var all: [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
  }
}
