import Foundation

/// What /proc says of the processes of this machine.
enum ProcessTable {
  /// The processes whose environment has `mark`: a program inherits it to all its descendants.
  static func processes(marked mark: String) -> [Int32] {
    all.filter { pid in
      // A zombie has none, and is nobody's survivor.
      guard let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
        return false
      }
      return environment.range(of: Data(mark.utf8)) != nil
    }
  }

  /// The children of `parent`, by pid, with their state: `Z` is a zombie.
  static func children(of parent: Int32) -> [Int32: Character] {
    var children: [Int32: Character] = [:]
    for pid in all {
      guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let nameEnd = stat.lastIndex(of: ")")
      else { continue }
      let fields = stat[nameEnd...].dropFirst(2).split(separator: " ")
      if fields.count > 1, Int32(fields[1]) == parent { children[pid] = fields[0].first }
    }
    return children
  }

  static func descriptorCount(of process: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
  }

  /// Resident bytes of this process.
  static func residentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return (Int(status.split(separator: " ")[1]) ?? 0) * 4096
  }

  /// The most resident bytes this process ever had.
  static func peakResidentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  }

  private static var all: [Int32] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }
  }
}
