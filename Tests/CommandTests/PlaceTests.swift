import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct PlaceTests {
  @Test(arguments: [["-C"], ["--workspace"]])
  func `the workspace may be named before the command and behind it`(option: [String]) async throws {
    let scene = try Scene()
    let elsewhere = ["PENSTOCK_HOME": ""]
    let before = try await scene.ask(option + [scene.home, "runs"], environment: elsewhere)
    let behind = try await scene.ask(["runs"] + option + [scene.home], environment: elsewhere)
    #expect(before.code == 0, "\(before.complaints)")
    #expect(before.output == behind.output)
    let nested = try await scene.ask(option + [scene.home, "hooks", "list"], environment: elsewhere)
    #expect(nested.code == 0, "\(nested.complaints)")
  }

  @Test func `a workspace that is none is told with what to do`() async throws {
    let scene = try Scene(isWorkspace: false)
    let asked = try await scene.ask(["-C", scene.home, "status"], environment: ["PENSTOCK_HOME": ""])
    #expect(asked.code == 2)
    #expect(asked.complaints.contains("is no workspace: it has no `etc/penstock.yaml`; make one with `penstock init`"))
  }
}
