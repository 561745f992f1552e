import Core
import Foundation
import Host
import Store

@testable import Engine

/// What an agent that died has left, in a database and directories of its own, and the next agent's parts.
final class Aftermath {
  static let noon = Date(timeIntervalSince1970: 1_763_640_000)

  let home: String
  let store: StateStore
  let spool: WorkspaceSpool
  let book = PipelineBook()

  init(stages: [Stage], timeout: Duration? = nil) async throws {
    home = "/tmp/penstock-aftermath-" + UUID().uuidString.prefix(13)
    for directory in ["inbox", "var"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    store = try StateStore(path: home + "/var/state.db")
    spool = try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var")
    var pipeline = Pipeline(name: "p", trigger: PipelineTrigger(inbox: try NamePattern("*.csv")), stages: stages)
    pipeline.timeout = timeout
    let version = PipelineVersion(
      digest: "d", pipeline: pipeline, source: "", path: "pipelines/p.yaml", loaded: Self.noon)
    try await store.register(version)
    book.put([version])
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  static func id(_ n: Int) -> RunID { Nouns.id(UInt64(n)) }

  /// Runs whose drops lie in `work/`, with the stages that were running.
  func runs(_ running: [Int: String?]) async throws {
    let claims = running.sorted { $0.key < $1.key }.map { n, stage in
      let run = Run(
        id: Self.id(n), pipeline: "p", version: "d", trigger: .drop,
        drop: Drop(name: FileName("\(n).csv"), bytes: 1, sha256: "ab"), created: Self.noon)
      let attempt = stage.map { stage in
        Attempt(
          run: run.id, stage: stage, n: 1, granularity: GranularityOpinion(.standard, .coarse, reason: ""), seed: 1,
          started: Self.noon, boot: "b")
      }
      return NewRun(run, attempt: attempt)
    }
    _ = try await store.claim(claims)
    for n in running.keys { try work(n, [FileName("\(n).csv")]) }
  }

  func work(_ n: Int, _ names: [FileName]) throws {
    let path = home + "/var/work/" + Self.id(n).text
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in names { try Data("x".utf8).write(to: URL(filePath: path + "/" + name.displayed)) }
  }

  /// Every row that work is recorded in, as text.
  func rows() throws -> [String] {
    try ["run", "attempt", "artifact", "hook_call", "run_count"].flatMap { try store.dump($0) }
  }

  var bench: Workbench {
    Workbench(
      store: store, spool: spool, processes: Nothing(), programs: Nothing(), settings: Settings(), home: home,
      boot: "b2",
      environment: [:], clock: ContinuousClock(), now: { Self.noon.addingTimeInterval(60) },
      random: { SystemRandomNumberGenerator() }, report: { _ in })
  }

  /// Whether the database itself has every row, without its log.
  func isCheckpointed() -> Bool {
    let copy = home + "/copy.db"
    try? FileManager.default.removeItem(atPath: copy)
    defer { try? FileManager.default.removeItem(atPath: copy) }
    try? FileManager.default.copyItem(atPath: home + "/var/state.db", toPath: copy)
    let pages = FileManager.default.contents(atPath: copy) ?? Data()
    return pages.range(of: Data(Self.id(2).text.utf8)) != nil
  }

  /// So much in one transaction.
  func fill(megabytes: Int, name: String) async throws {
    let text = String(repeating: "x", count: megabytes << 20)
    try await store.record(
      config: ConfigStatus(
        path: name, digest: nil, state: .valid, diagnostics: [.string(text)], since: Self.noon, activeDigest: nil))
  }

  struct Parts {
    var dispatcher: Dispatcher
    var filer: Filer
    var intake: Intake
    var recovery: Recovery
  }

  /// The next agent's.
  func next() -> Parts {
    let filer = Filer(bench: bench) {}
    let dispatcher = Dispatcher(bench: bench, book: book, filer: filer, monotonic: { .zero }) {}
    let intake = Intake(
      bench: bench, inbox: spool.inboxDirectory, watcher: Nothing(), book: book, dispatcher: dispatcher, bell: Bell(),
      monotonic: { .zero }
    ) {}
    let recovery = Recovery(bench: bench, book: book, intake: intake, dispatcher: dispatcher, filer: filer)
    return Parts(dispatcher: dispatcher, filer: filer, intake: intake, recovery: recovery)
  }
}

/// No watcher, no hooks, no programs: recovery starts none.
private struct Nothing: ProcessRunner, Programs, Watcher {
  func run(_ request: ProgramRequest) async throws -> ProgramResult { throw HostError("nothing is run here") }
  func hooks(of event: String) -> [ProgramFile] { [] }
  func resolve(_ program: String, hashing: Bool) -> ProgramFile { ProgramFile(path: program, shown: program) }
  func hints() -> WatchHints { WatchHints() }
  func report() -> WatchReport {
    WatchReport(mode: .events, filesystem: Filesystem(name: "ext4", isRemote: false))
  }
}
