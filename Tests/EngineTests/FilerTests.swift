import Core
import Foundation
import Store
import Synchronization
import Testing

@testable import Engine

@Suite(.timeLimit(.minutes(5))) struct FilerTests {
  @Test func `a run that ends while the filer finds nothing to do, and is told to stop, is filed`() async throws {
    let place = try await Aftermath(stages: [Stage(name: "s", program: ["/bin/true"], timeout: .seconds(9))])
    try await place.runs([1: nil])
    let run = try await place.store.reader.run(matching: .id(Aftermath.id(1)))
    try await place.store.end(run.id, RunEnding(.done), at: Aftermath.noon)
    // the filer calls this between looking for work and looking whether to stop
    let late = Mutex<(@Sendable () -> Void)?>(nil)
    let filer = Filer(bench: place.bench) {
      late.withLock { action in
        action?()
        action = nil
      }
    }
    late.withLock {
      $0 = { [unowned filer] in
        filer.add(Filing(run, ended: .done))
        filer.stop()
      }
    }
    try await filer.run()
    #expect(try await place.store.reader.unfiled().isEmpty)
    #expect(FileManager.default.fileExists(atPath: place.home + "/var/done/" + run.id.text + "/1.csv"))
  }
}
