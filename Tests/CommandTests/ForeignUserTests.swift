import Core
import Foundation
import Glibc
import Testing

/// Who is not the agent's user is told so, and nothing that is not true.
@Suite(.enabled(if: geteuid() == 0, "needs root to become someone else"), .timeLimit(.minutes(2)))
struct ForeignUserTests {
  @Test func `another user is told whose workspace it is, by every command that asks for its state`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    try place.drop("a.csv")
    try await place.ended()
    for arguments in [
      ["inbox"], ["status"], ["runs"], ["show", "1"], ["why", "1"], ["logs"], ["logs", "1"], ["ack", "1"], ["gc"],
      ["retry", "1"], ["cancel", "1"], ["run", "p"], ["schedule"], ["policy"], ["trials"], ["up"],
    ] {
      let told = try await place.start(arguments, wrapped: ScenarioWorkspace.plainUser).end()
      #expect(told.code == 2 && told.output == "", "\(arguments): \(told.code) \(told.output)")
      let words = "/var` belongs to user root, and this is user "
      #expect(
        told.complaints.contains(words) && told.complaints.contains("sudo -u root penstock"), "\(told.complaints)")
    }
    let doctor = try await place.start(["doctor"], wrapped: ScenarioWorkspace.plainUser).end()
    #expect(doctor.code == 4)
    #expect(doctor.output.contains("belongs to user root, so what is in it, and the agent, cannot be looked at"))
    for word in [" agent ", " claim ", " leases ", " database "] {
      #expect(!doctor.output.contains("✗\(word)") && !doctor.output.contains("!\(word)"), "\(doctor.output)")
    }
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a workspace that another user may not even look into is told as that`() async throws {
    let place = try ScenarioWorkspace.taking()
    #expect(chmod(place.home, 0o750) == 0)
    let told = try await place.start(["status"], wrapped: ScenarioWorkspace.plainUser).end()
    #expect(told.code == 2 && told.complaints.contains("`\(place.home)` belongs to user root"), "\(told.complaints)")
  }

  @Test func `a database of another user in a state of one's own is told as that`() async throws {
    let place = try ScenarioWorkspace.taking()
    try place.handOver()
    #expect(try await place.start(["up", "--once"], wrapped: ScenarioWorkspace.plainUser).end().code == 0)
    #expect(chown(place.path("var/state.db"), 0, 0) == 0)
    let told = try await place.start(["runs"], wrapped: ScenarioWorkspace.plainUser).end()
    #expect(told.code == 2 && told.complaints.contains("var/state.db` belongs to user root"), "\(told.complaints)")
  }
}
