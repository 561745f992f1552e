import Core
import Engine
import Foundation
import Host
import Store
import Synchronization
import Testing

@Suite struct ConfigsTests {
  private struct Crash: Error {}

  @Test func `S01: new content is told of again where the agent died before it could act on it`() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder.appending(path: "inbox"), withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try StateStore(path: folder.path + "/state.db")
    defer { try? store.close() }
    let bench = try bench(store, folder.path)
    let version = PipelineVersion(
      digest: "d1", pipeline: Pipeline(name: "p", stages: []), source: "text", path: "pipelines/p.yaml",
      loaded: Nouns.noon)
    let files = [LoadedPipeline(path: version.path, name: "p", version: version)]

    let dying = Configs(bench: bench, book: PipelineBook(), bell: Bell(), load: { files }) { _ in throw Crash() }
    await #expect(throws: Crash.self) { try await dying.refresh() }

    let told = Mutex<[[String]]>([])
    for _ in 1...2 {
      let next = Configs(bench: bench, book: PipelineBook(), bell: Bell(), load: { files }) { fresh in
        told.withLock { $0.append(fresh.map(\.digest)) }
      }
      try await next.refresh()
    }
    #expect(told.withLock { $0 } == [["d1"], []])
  }

  private func bench(_ store: StateStore, _ home: String) throws -> Workbench {
    let reactor = try Reactor()
    return Workbench(
      store: store, spool: try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home),
      processes: SpawnerRunner(spawner: "/nowhere", reactor: reactor),
      programs: HostPrograms(home: home, path: "/usr/bin"), settings: Settings(), home: home, boot: Nouns.boot,
      environment: [:], clock: ReactorClock(reactor: reactor), now: { Nouns.noon },
      random: { Fixed(value: 1) }, report: { _ in })
  }
}
