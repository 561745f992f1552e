import Core
import Foundation
import Host
import Store
import Synchronization

@testable import Engine

/// A scheduler on a real store, with a wall clock and a clock of the machine that the test moves.
final class ScheduledPlace: Sendable {
  struct Clocks: Sendable {
    var wall: Date
    var boot = Duration.seconds(1000)
  }

  let home: String
  let store: StateStore
  let book = PipelineBook()
  let clocks: Mutex<Clocks>
  let begun = Mutex<[Run]>([])
  let news = Mutex<[ScheduleNews]>([])
  private let spool: WorkspaceSpool

  /// - Parameter start: RFC 3339.
  init(_ start: String) throws {
    home = "/tmp/penstock-scheduled-" + UUID().uuidString.prefix(13)
    for directory in ["inbox", "var"] {
      try FileManager.default.createDirectory(atPath: home + "/" + directory, withIntermediateDirectories: true)
    }
    store = try StateStore(path: home + "/var/state.db")
    spool = try WorkspaceSpool(inboxPath: home + "/inbox", varPath: home + "/var")
    clocks = Mutex(Clocks(wall: try Self.date(start)))
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  static func date(_ text: String) throws -> Date {
    guard let date = Timestamp.date(text) else { throw HostError("`\(text)` is no moment") }
    return date
  }

  /// Puts pipelines in force.
  func put(_ schedules: [String: Schedule], inbox: String? = nil) async throws {
    var versions: [PipelineVersion] = []
    for (name, schedule) in schedules {
      let pipeline = Pipeline(
        name: name, trigger: PipelineTrigger(inbox: try inbox.map { try NamePattern($0) }, schedule: schedule),
        stages: [Stage(name: "a", program: ["/bin/true"])])
      let version = PipelineVersion(
        digest: name + schedule.content, pipeline: pipeline, source: "", path: "pipelines/\(name).yaml",
        loaded: Date(timeIntervalSince1970: 0))
      try await store.register(version)
      versions.append(version)
    }
    book.put(versions)
  }

  /// An agent that begins.
  func scheduler(random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()) -> Scheduler {
    let bench = Workbench(
      store: store, spool: spool, processes: Unused(), programs: Unused(), settings: Settings(), home: home, boot: "b",
      environment: [:], clock: ContinuousClock(), now: { self.clocks.withLock { $0.wall } }, random: { random },
      report: { event in
        if case .scheduled(let news) = event.kind { self.news.withLock { $0.append(news) } }
      })
    let filer = Filer(bench: bench) {}
    let dispatcher = Dispatcher(bench: bench, book: book, filer: filer, monotonic: { .zero }) {}
    return Scheduler(
      bench: bench, book: book, starter: Starter(bench: bench, book: book, dispatcher: dispatcher),
      zones: ZoneFiles(environment: ["TZ": "UTC"]), sinceBoot: { self.clocks.withLock { $0.boot } },
      bell: SlotBell(Bell())
    ) { run, _ in self.begun.withLock { $0.append(run) } }
  }

  /// Time goes by, also while the machine sleeps.
  func pass(_ time: Duration) {
    clocks.withLock { clocks in
      clocks.wall += time / .seconds(1)
      clocks.boot += time
    }
  }

  /// Someone sets the clock; no time goes by.
  func set(_ jump: Duration) { clocks.withLock { $0.wall += jump / .seconds(1) } }

  /// Lets time go by until a moment, looking whenever the scheduler would wake.
  func run(_ scheduler: Scheduler, until end: String) async throws {
    let end = try Self.date(end)
    while true {
      let wait = try await scheduler.look() ?? .seconds(86400 * 365)
      let left = Duration.seconds(end.timeIntervalSince(clocks.withLock { $0.wall }))
      if left <= .zero { return }
      pass(min(wait, left))
    }
  }

  /// The slots that began runs, the earliest first, in a zone's own time: `03-29 03:00`.
  func fired(of pipeline: String = "p", in zone: String = "UTC") async throws -> [String] {
    try await slots(of: pipeline, in: zone).filter { $0.contains(" fired") }.map { String($0.prefix(11)) }
  }

  /// Every slot with what became of it: `03-29 03:00 fired`.
  func slots(of pipeline: String = "p", in zone: String = "UTC") async throws -> [String] {
    let zone = TimeZone(identifier: zone) ?? .gmt
    return try await store.reader.slots(of: pipeline, limit: 1000).reversed().map { slot in
      let text = Timestamp.text(slot.due, in: zone)
      let missed = slot.missed > 0 ? " +\(slot.missed)" : ""
      return "\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).prefix(5)) \(slot.state.rawValue)\(missed)"
    }
  }

  /// Ends every run that is open.
  func endRuns() async throws {
    for run in try await store.reader.openRuns() {
      try await store.end(run.id, RunEnding(.done), at: clocks.withLock { $0.wall })
    }
  }
}

private struct Unused: ProcessRunner, Programs {
  func run(_ request: ProgramRequest) async throws -> ProgramResult { throw HostError("nothing is run here") }
  func hooks(of event: String) -> [ProgramFile] { [] }
  func resolve(_ program: String, hashing: Bool) -> ProgramFile { ProgramFile(path: program, shown: program) }
}
