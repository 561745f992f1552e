import CSystem
import Foundation
import Glibc

/// The part of the tree of control groups (cgroup v2) that was given to the agent, so that programs get groups of their
/// own beneath it.
///
/// systemd marks what it has given away (`Delegate=yes`) by the attribute `user.delegate`; whatever else one could write
/// to is another's. `PENSTOCK_CGROUP` names a directory instead, and is empty for none.
package enum ControlGroups {
  /// - Parameter own: /proc/self/cgroup and /proc/self/mountinfo.
  /// - Returns: an absolute path; `nil` where nothing was given.
  package static func given(environment: [String: String], own: (groups: String, mounts: String)) -> String? {
    if let named = environment["PENSTOCK_CGROUP"] { return isTree(named) ? named : nil }
    guard let directory = directory(own), isTree(directory), isDelegated(directory) else { return nil }
    return directory
  }

  /// What /proc says of this process and of what is mounted.
  package static func own() -> (groups: String, mounts: String) {
    func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
    return (text("/proc/self/cgroup"), text("/proc/self/mountinfo"))
  }

  /// Makes room beneath `directory`: what has groups beneath it and limits them may hold no process itself.
  package static func prepare(_ directory: String, process: Int32) {
    mkdir(directory + "/agent", 0o755)
    put("\(process)", into: directory + "/agent/cgroup.procs")
    for controller in ["memory", "pids"] { put("+" + controller, into: directory + "/cgroup.subtree_control") }
  }

  /// Where this process stands in the one tree of version 2.
  static func directory(_ own: (groups: String, mounts: String)) -> String? {
    let lines = own.groups.split(separator: "\n")
    guard let path = lines.first(where: { $0.hasPrefix("0::/") })?.dropFirst("0::".count) else { return nil }
    // proc_pid_mountinfo(5): … root mount-point options … - type source options
    for line in own.mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 1, dash > 4, fields[dash + 1] == "cgroup2",
        fields[3] == "/"
      else { continue }
      return String(fields[4]) + (path == "/" ? "" : path)
    }
    return nil
  }

  private static func isTree(_ directory: String) -> Bool {
    // its own `cgroup.kill` need not be ours to write: that of each group we make beneath it is
    !directory.isEmpty && access(directory + "/cgroup.kill", F_OK) == 0
      && access(directory + "/cgroup.procs", W_OK) == 0 && access(directory, W_OK) == 0
  }

  private static func isDelegated(_ directory: String) -> Bool {
    ["user.delegate", "trusted.delegate"].contains { name in
      var value = [UInt8](repeating: 0, count: 8)
      return attribute_read(directory, name, &value, value.count) > 0 && value.first == UInt8(ascii: "1")
    }
  }

  private static func put(_ text: String, into path: String) {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    _ = write(file, text, text.utf8.count)
  }
}
