import Core
import Foundation
import Glibc
import Testing

/// An answer that cannot be written is told by the exit code; an agent that nobody listens to works on.
@Suite(.timeLimit(.minutes(2))) struct UnreadTests {
  private func shell(_ scene: Scene, _ text: String) async throws -> ScenarioProgram.Ended {
    try scene.file("ask.sh", "#!/bin/sh\nP=\"\(try scene.program())\"\n" + text + "\n")
    return try await ScenarioProgram(
      [scene.path("ask.sh")],
      environment: [
        "PATH": "/usr/bin:/bin", "TZ": "UTC", "PENSTOCK_HOME": scene.home, "PENSTOCK_KIT": scene.path("kit"),
      ], logs: scene.path(".asked/shell")
    ).end()
  }

  @Test func `a full disk is exit code 70 with words, a reader that is gone 141 without`() async throws {
    let scene = try Scene()
    for command in ["runs", "inbox --json", "schema pipeline", "status"] {
      let full = try await shell(scene, "\"$P\" \(command) > /dev/full")
      #expect(full.code == 70, "\(command): \(full.code)")
      #expect(full.complaints.contains("the answer cannot be written: no space left on device"), "\(full.complaints)")
    }
    let unread = try await shell(
      scene, "{ sleep 0.3; \"$P\" schema pipeline; echo $? > \"$PENSTOCK_HOME/code\"; } | true")
    #expect(unread.complaints.isEmpty)
    #expect(scene.text("code") == "141\n")
  }

  @Test func `an agent whose output nobody reads works on`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml":
        "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [{ name: s, run: [\"true\"] }]\n"
    ])
    for n in 0..<150 { try scene.file("inbox/\(n).csv", "1") }
    let ended = try await shell(
      scene,
      """
      cd "$PENSTOCK_HOME" && mkfifo pipe
      sleep 100 < pipe &
      "$P" up --once --json > pipe; code=$?
      kill $!; exit $code
      """)
    #expect(ended.code == 0, "\(ended.complaints)")
    #expect(try await scene.ask("runs", "--state", "done", "--limit", "200", "--json").list("runs").count == 150)
  }
}
