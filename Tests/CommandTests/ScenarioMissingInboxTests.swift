import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// An inbox that is not there: moved away, not mounted yet, or a link to such a place.
@Suite(.timeLimit(.minutes(2))) struct ScenarioMissingInboxTests {
  @Test(arguments: [true, false])
  func `I18 an inbox that is missing when the agent starts is told, waited for, and never made anew`(isLink: Bool)
    async throws
  {
    let place = try ScenarioWorkspace.taking()
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(rename(place.path("inbox"), place.path("elsewhere")) == 0)
    if isLink { #expect(symlink("missing", place.path("inbox")) == 0) }
    let words =
      isLink
      ? "inbox` is a link to `missing`, which is not there: make or mount that directory"
      : "there is no directory `\(place.home)/inbox`: move back or mount what belongs there"
    // a service with this code is started again
    let up = try await place.penstock("up", "--once")
    #expect(up.code == 75 && up.complaints.contains(words), "\(up.complaints)")
    #expect(!place.exists("inbox"))
    let inbox = try await place.penstock("inbox")
    #expect(inbox.code == 4 && inbox.complaints.contains(words), "\(inbox.complaints)")
    #expect(inbox.output == "the inbox cannot be looked at\n")
    let json = try await place.penstock("inbox", "--json").json
    #expect((json["trouble"] as? String)?.contains(words) == true)
    let put = try await place.penstock("put", "/etc/passwd")
    #expect(put.code == 2 && put.complaints.contains(words), "\(put.complaints)")
    let doctor = try await place.penstock("doctor")
    #expect(doctor.output.contains("1 thing to mend"), "\(doctor.output)")
    #expect(!doctor.output.contains(" claim ") && !doctor.output.contains(" leases "), "\(doctor.output)")
    if isLink { #expect(doctor.output.contains("✗ inbox     is a link to `missing`, which is not there\n")) }
    unlink(place.path("inbox"))
    #expect(symlink("elsewhere", place.path("inbox")) == 0)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.done])
  }

  @Test func `a first start makes the inbox where there is none, and nothing where its link leads nowhere`()
    async throws
  {
    let place = try ScenarioWorkspace.taking()
    #expect(rmdir(place.path("inbox")) == 0 && symlink("missing", place.path("inbox")) == 0)
    #expect(try await place.penstock("up", "--once").code == 75)
    unlink(place.path("inbox"))
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(place.exists("inbox"))
  }

  @Test func `an inbox that goes while an agent works is not called empty`() async throws {
    let place = try ScenarioWorkspace.taking()
    let agent = try await place.up()
    #expect(rename(place.path("inbox"), place.path("away")) == 0)
    try await place.waitForLog("intake is paused")
    let inbox = try await place.penstock("inbox")
    #expect(inbox.code == 4 && inbox.output.hasPrefix("the inbox cannot be looked at\n"), "\(inbox.output)")
    #expect(try await place.stop(agent).code == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `an inbox on another filesystem is something to know, not to mend`() async throws {
    let place = try ScenarioWorkspace.taking()
    #expect(try await place.penstock("up", "--once").code == 0)
    let mount = try Mounted(place, at: "inbox")
    let doctor = try await place.penstock("doctor")
    #expect(doctor.code == 0, "\(doctor.output)")
    #expect(
      doctor.output.contains("! claim   ") && doctor.output.contains("each drop is copied in"), "\(doctor.output)")
    try await mount.unmount()
  }
}
