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

  fileprivate static var all: [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
  }
}

extension ScenarioProcesses {
  /// The living children of a process.
  static func children(of parent: Int32) -> [Int32] {
    all.filter { pid in
      guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let end = stat.lastIndex(of: ")")
      else { return false }
      let fields = stat[end...].dropFirst(2).split(separator: " ")
      return fields.count > 1 && Int32(fields[1]) == parent && fields[0] != "Z"
    }
  }
}
