import Core
import Foundation
import Glibc
import Store
import Testing

/// More drops than are held in memory: the ids are those of faults.md.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ScenarioFloodTests {
  @Test func `I13 I29 claims run ahead of the runs, beyond what is held whole, and each drop runs once`() async throws {
    let count = 1300
    let place = try ScenarioWorkspace(settings: "concurrency: 2\n")
    try place.pipeline(stages: [
      (
        "only",
        "while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done; echo $PENSTOCK_RUN >> \"$PENSTOCK_HOME/effects\""
      )
    ])
    for n in 0..<count { close(open(place.path("inbox/\(n).csv"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)) }
    try place.write("etc/penstock.yaml", "settle: 0s\nsettle_moved: 0s\nsettle_empty: 0s\nreserve: 1MiB\n")
    let agent = try await place.up()
    try await until("all to be claimed before the first has ended; \(place.tail)") {
      try await place.reader { try await $0.counts() }.map(\.count).reduce(0, +) == count
    }
    #expect(place.names("inbox").isEmpty && place.names("var/done").isEmpty)
    // one of those that are known by their id alone
    #expect(try await place.penstock("cancel", "\(count - 1)").code == 0)
    try place.write("go", "")
    let runs = try await place.ended(count, within: .seconds(150))
    #expect(runs.count { $0.state == .done } == count - 1 && runs.count { $0.state == .cancelled } == 1)
    let effects = place.text("effects").split(separator: "\n")
    #expect(effects.count == count - 1 && Set(effects).count == count - 1)
    #expect(try await place.stop(agent).code == 0)
  }
}
