import Core
import Foundation

/// Everything `status` tells, at one moment.
struct StatusReport: Sendable {
  var home: String
  var now: Date
  var agent = AgentView(state: .never)
  /// What watching cannot do, in words.
  var troubles: [String] = []
  /// What the database suffers from, in words.
  var stateTroubles: [String] = []
  /// What the agent says of its watching; `nil` without an agent.
  var watching: JSON?
  /// Why nothing is claimed.
  var paused: String?
  var running: [RunningView] = []
  /// Queued and waiting runs, the oldest first.
  var queue: [Run] = []
  var queued = 0
  /// The last run of each pipeline that has ended.
  var last: [Run] = []
  /// The newest failed and quarantined runs.
  var failures: [Run] = []
  /// Quarantined runs nobody has acknowledged.
  var quarantined: [Run] = []
  /// Hooks that runs wait for.
  var hooks: [HookAtWork] = []
  /// Hooks that went wrong and were let pass, by run.
  var hookFailures: [RunID: Int] = [:]
  /// Stages that fail again and again and are left alone.
  var breakers: [BreakerView] = []
  /// Pipelines that run by the clock.
  var schedules: [ScheduleView] = []
  var counts: [RunCount] = []
  var inbox = InboxView()
  var configs: [ConfigView] = []
  /// `etc/penstock.yaml`, where it is invalid.
  var settings: ConfigView?
  /// Pipelines for which anything was decided or something is to decide.
  var policies: [PolicyView] = []
  /// Those that are not decided yet.
  var trials: [Trial] = []
  var nights: [NightView] = []
  /// In what the last runs went over their targets, by run.
  var misses: [RunID: [String]] = [:]
  /// Open runs by pipeline whose file is gone: they end on the version they began with.
  var orphaned: [String: Int] = [:]
  var hasPipelines = false

  init(home: String, now: Date) {
    self.home = home
    self.now = now
  }

  var invalid: [ConfigView] { configs.filter { !$0.isValid } }

  /// What failed before the last run of its pipeline is listed, and no alarm any more.
  var isFailing: Bool { last.contains { $0.state == .failed && $0.acknowledged == nil } || !quarantined.isEmpty }

  var isDegraded: Bool {
    !troubles.isEmpty || !stateTroubles.isEmpty || paused != nil || !invalid.isEmpty || settings != nil
      || inbox.trouble != nil
      || agent.state == .silent
  }

  /// DESIGN 5.
  var exitCode: Int32 {
    if isFailing { return ExitCodes.runFailed }
    if isDegraded { return ExitCodes.degraded }
    return agent.state == .running ? ExitCodes.ok : ExitCodes.notRunning
  }
}

struct AgentView: Sendable {
  enum State: String, Sendable {
    case running
    /// It is there and does not answer.
    case silent
    case stopped
    /// It ended without saying so.
    case died
    case never
  }

  var state: State
  var pid: Int?
  var started: Date?
  var ended: Date?

  var isThere: Bool { state == .running || state == .silent }

  var json: JSON {
    [
      "running": .bool(isThere), "state": .string(state.rawValue),
      "pid": pid.map { .integer($0) } ?? .null,
      "started": RunJSON.time(started), "ended": RunJSON.time(ended),
    ]
  }
}

/// A run at work.
struct RunningView: Sendable {
  var run: Run
  var stages: [String]
  var finished: Set<String> = []
  /// The stages that run now.
  var current: [String] = []
  /// Why they run at their level.
  var choices: [String: GranularityOpinion] = [:]
  var attempt = 1
  /// Of those of them that are fan-out stages.
  var items: [ItemProgress] = []
  /// Seconds.
  var elapsed: Double?
  /// Seconds, guessed from the past; `nil` where there is none.
  var remaining: Double?

  init(run: Run, stages: [String]) {
    self.run = run
    self.stages = stages
  }

  /// The stages that run now, as a person reads them: `summarize 40/100 items, 1 failed`, `train fine: rule 1: slow`.
  var words: String {
    current.map { stage in
      let progress = items.first { $0.stage == stage }
      let choice = choices[stage].flatMap { $0.level == .coarse ? nil : " \($0.level.rawValue): \($0.reason)" } ?? ""
      return Shown.words(stage + choice) + (progress.map { " " + Shown.items($0) } ?? "")
    }.joined(separator: ", ")
  }

  var json: JSON {
    RunJSON.summary(run).merging([
      "stage": current.first.map { .string($0) } ?? .null, "attempt": .integer(attempt),
      "current": .array(current.map { .string($0) }),
      "granularity": .object(choices.mapValues { .string($0.level.rawValue) }),
      "granularity_reason": .object(choices.mapValues { .string($0.reason) }),
      "stages_done": .integer(finished.count), "stages_total": .integer(stages.count),
      "items": .array(items.map { $0.json.merging(["stage": .string($0.stage)]) }),
      "elapsed_s": elapsed.map { .number($0) } ?? .null,
      "eta_s": remaining.map { .number($0) } ?? .null,
    ])
  }
}

/// A stage whose breaker is open, or was until a moment ago.
struct BreakerView: Sendable {
  var state: BreakerState
  /// `nil` where the next run tries it.
  var reopens: Date?

  var json: JSON {
    [
      "pipeline": .string(state.pipeline), "stage": .string(state.stage), "failures": .integer(state.failures),
      "failed": .string(Timestamp.text(state.failed)), "reopens": RunJSON.time(reopens),
      "reason": .string(state.reason),
    ]
  }
}

/// One pipeline file.
struct ConfigView: Sendable {
  var path: String
  var isValid: Bool
  var errors = 0
  /// The first error with its place.
  var first: String?
  var diagnostics: [JSON] = []
  var since: Date?
  /// When the version in force was loaded; `nil` where none is.
  var inForceSince: Date?

  init(path: String, isValid: Bool) {
    self.path = path
    self.isValid = isValid
  }

  init(file: LoadedPipeline) {
    self.init(path: file.path, isValid: file.isValid)
    take(file.diagnostics.map(\.json))
  }

  mutating func take(_ diagnostics: [JSON]) {
    self.diagnostics = diagnostics
    let found = diagnostics.filter { $0["severity"]?.string == "error" }
    errors = found.count
    first = found.first.map { error in
      let file = error["file"]?.string ?? path
      let place = file == path ? "line " : "\(file) line "
      return "\(place)\(Shown.value(error["line"] ?? .null)): \(error["message"]?.string ?? "")"
    }
  }

  var json: JSON {
    [
      "path": .string(path), "state": .string(isValid ? "valid" : "invalid"), "since": RunJSON.time(since),
      "errors": .integer(errors), "first": first.map { .string($0) } ?? .null,
      "diagnostics": .array(diagnostics),
      "in_force_since": RunJSON.time(inForceSince),
    ]
  }

  /// `etc/penstock.yaml: invalid, 1 error: line 2: …`.
  func errorWords(_ since: String = "") -> String {
    let first = first.map { (errors == 1 ? ": " : ", first: ") + Shown.words($0) } ?? ""
    return "\(Shown.words(path)): invalid\(since), \(Shown.count(errors, "error"))\(first)"
  }

  /// `pipelines/x.yaml: invalid since 10:02, 2 errors, first: …; the version of 09:55 stays in force`.
  func words(_ time: LocalTime) -> String {
    var text = errorWords(since.map { " since \(time.text($0))" } ?? "")
    text += inForceSince.map { "; the version of \(time.text($0)) stays in force" } ?? "; it is not in force"
    return text + "; `penstock check` tells all"
  }
}
