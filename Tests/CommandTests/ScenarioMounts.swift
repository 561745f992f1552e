import Foundation
import Glibc

/// A small filesystem in memory mounted in a workspace; for tests that run as root.
final class Mounted {
  private let place: ScenarioWorkspace
  private let target: String
  private var isMounted = false

  init(_ place: ScenarioWorkspace, at name: String, size: String = "64m") throws {
    self.place = place
    target = place.path(name)
    mkdir(target, 0o755)
    try run(["mount", "-t", "tmpfs", "-o", "size=\(size),mode=0755", "penstock-test", target])
    isMounted = true
  }

  deinit { if isMounted { umount2(target, 2) } }

  func remount(_ options: String) async throws { try run(["mount", "-o", "remount,\(options)", target]) }

  func unmount() async throws {
    try run(["umount", target])
    isMounted = false
  }

  private func run(_ words: [String]) throws {
    let program = try ScenarioProgram(
      ["/usr/bin/env"] + words, environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], logs: place.path("logs/mount"))
    while program.isRunning { usleep(2000) }
    guard program.text.isEmpty else { throw ScenarioFailure("\(words): \(program.text)") }
  }
}
