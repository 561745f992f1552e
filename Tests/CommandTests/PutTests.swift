import Foundation
import Glibc
import Testing

@Suite(.timeLimit(.minutes(1))) struct PutTests {
  @Test func `a named pipe is refused at once, and so is a device`() async throws {
    let scene = try Scene()
    #expect(mkfifo(scene.path("pipe"), 0o644) == 0)
    try await scene.expect(
      "put", scene.path("pipe"),
      stderr:
        "penstock: cannot put `HOME/pipe`: it is a named pipe: `penstock put - --as NAME < PIPE` reads one to its end\n",
      exit: 2)
    let device = try await scene.ask("put", "/dev/null", "--as", "n.csv")
    #expect(device.code == 2 && device.complaints.contains("it is a device"), "\(device.complaints)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scene.path("inbox")).isEmpty)
  }

  @Test func `what a shell's process substitution stands for is read to its end`() async throws {
    let scene = try Scene()
    try scene.file("ask.sh", "#!/bin/bash\n\"$1\" put <(echo a; sleep 0.1; echo b) --as n.csv\n")
    let asked = try await ScenarioProgram(
      [scene.path("ask.sh"), try scene.program()],
      environment: ["PATH": "/usr/bin:/bin", "PENSTOCK_HOME": scene.home], logs: scene.path(".asked/bash")
    ).end()
    #expect(asked.code == 0, "\(asked.complaints)")
    #expect(scene.text("inbox/n.csv") == "a\nb\n")
  }
}
