import Core
import Foundation
import Glibc

/// What scenarios of the inbox have in common.
extension ScenarioWorkspace {
  /// A workspace with one pipeline for `*.csv`.
  static func taking(_ settings: String = "") throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace(settings: settings)
    try place.pipeline(stages: [("only", "cat >/dev/null")])
    return place
  }

  /// Returns when a name is held, as the log says it.
  func waitForHold(_ name: String, _ words: String) async throws {
    try await waitForLog("drop is held") {
      $0["drop"]?.string == name && $0["reason"]?.string?.contains(words) == true
    }
  }

  /// A drop made after others, whose end shows that the agent has passed over those.
  func passOver(runs: Int) async throws {
    try drop("marker.csv")
    try await ended(runs)
  }

  /// Makes an empty file in the inbox, as a writer does that only begins.
  func create(_ name: String) -> String {
    close(open(path("inbox/" + name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
    return path("inbox/" + name)
  }

  /// Runs a command as somebody who is nobody.
  static let plainUser = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

  func handOver() throws {
    let chown = try ScenarioProgram(
      ["/usr/bin/chown", "-R", "65534:65534", home], environment: [:], logs: path("logs/chown"))
    while chown.isRunning { usleep(2000) }
  }

  func makeSocket(_ name: String) throws {
    let path = path(name)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    guard bound == 0 else { throw ScenarioFailure("cannot make a socket: \(String(cString: strerror(errno)))") }
  }
}
