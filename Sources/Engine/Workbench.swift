package import Core
package import Foundation
package import Store

/// What every run is worked with; made once by the composition root.
package struct Workbench: Sendable {
  package var store: StateStore
  package var spool: any Spool
  package var processes: any ProcessRunner
  /// Answers for programs that stay; without it each of their calls is a process of its own.
  package var workers: (any Workers)?
  package var programs: any Programs
  package var settings: Settings
  /// Absolute path of the workspace.
  package var home: String
  /// boot_id(5) of the running kernel.
  package var boot: String
  /// The environment of the agent: of it programs get PATH, LANG, TZ, HOME and what is asked for by name.
  package var environment: [String: String]
  package var clock: any Clock<Duration>
  package var now: @Sendable () -> Date
  package var random: @Sendable () -> any RandomNumberGenerator
  package var report: @Sendable (Event) -> Void
  /// Does a thing that nobody waits for, some milliseconds later, on a thread of its own.
  package var later: @Sendable (@escaping @Sendable () -> Void) -> Void
  /// What lets attempts begin, over all runs.
  let turnstile: Turnstile
  let breakers: Breakers
  package let hooksAtWork = HooksAtWork()
  /// Of what is worked here: before it is durable no program begins, and nothing is said of it.
  private(set) var recording: Permit?

  package init(
    store: StateStore, spool: any Spool, processes: any ProcessRunner, workers: (any Workers)? = nil,
    programs: any Programs, settings: Settings, home: String, boot: String, environment: [String: String],
    clock: any Clock<Duration>, now: @escaping @Sendable () -> Date,
    random: @escaping @Sendable () -> any RandomNumberGenerator,
    report: @escaping @Sendable (Event) -> Void,
    later: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = { $0() }
  ) {
    self.store = store
    self.spool = spool
    self.processes = processes
    self.workers = workers
    self.programs = programs
    self.settings = settings
    self.home = home
    self.boot = boot
    self.environment = environment
    self.clock = clock
    self.now = now
    self.random = random
    self.report = report
    self.later = later
    turnstile = Turnstile()
    breakers = Breakers(reader: store.reader)
  }

  /// Hides the secrets that the programs of a pipeline are given.
  func mask(for pipeline: Pipeline) -> SecretMask {
    let passed = (settings.environment + pipeline.environment).filter(SecretMask.looksSecret)
    return SecretMask(values: (passed + settings.secrets).compactMap { environment[$0] })
  }

  /// The same bench; whatever is said at it has these secrets hidden.
  func masking(_ mask: SecretMask) -> Workbench {
    var bench = self
    bench.report = { [report] event in
      var event = event
      event.mask = mask
      report(event)
    }
    return bench
  }

  /// The same bench; programs begin at it once `recording` is durable, and what is said is told then, in its order.
  func waiting(for recording: Permit?) -> Workbench {
    guard let recording else { return self }
    var bench = self
    bench.recording = recording
    bench.report = { [report] event in
      recording.whenKnown { if case .success = $0 { report(event) } }
    }
    return bench
  }

  /// What an attempt left, as later stages get it.
  func files(_ artifacts: [Artifact], of run: RunID) -> [Envelope.FilePart] {
    artifacts.map { Envelope.FilePart($0, path: spool.path(of: $0, run: run)) }
  }

  func say(_ kind: Event.Kind, _ run: Run? = nil, stage: String? = nil, attempt: Int? = nil) {
    report(Event(at: now(), run: run.map(Event.RunTag.init), stage: stage, attempt: attempt, kind))
  }
}
