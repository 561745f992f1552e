/// A named graph of stages, as written in YAML, with `extends` merged and `vars` filled in.
///
/// What depends on the drop, `${file.…}`, is filled in when a run begins: see `resolved(captures:set:)`.
package struct Pipeline: Sendable, Equatable, Codable {
  package var name: String
  /// The author's `version:`, for people; identity is the digest of the content.
  package var label: String?
  package var trigger: PipelineTrigger
  package var sources: [DataSource]
  /// In an order in which each comes after those it needs.
  package var stages: [Stage]
  /// Hooks of the YAML by event, run after those of the directories.
  package var hooks: [String: [HookProgram]]
  /// Names of environment variables passed on to programs.
  package var environment: [String]
  /// The values of `vars`, kept so that `--set` can be checked against them.
  package var vars: [String: JSON]
  /// From the first stage of a run to its end; waiting for a time or for a person is not counted.
  package var timeout: Duration?
  /// Runs of it at the same time; `nil` leaves it to the agent's.
  package var concurrency: Int?
  /// What it should keep to.
  package var targets: Targets?
  /// Conditions that change a granularity, the first that holds; `nil` is none.
  package var rules: [Rule]?
  /// How settings of its `auto` stages are compared; `nil` where they are not.
  package var trials: TrialRules?
  /// What it was made from, so that `--set` can make it anew; `nil` where it was not read from a file.
  package var origin: PipelineOrigin?

  package init(
    name: String, label: String? = nil, trigger: PipelineTrigger = PipelineTrigger(),
    sources: [DataSource] = [], stages: [Stage], hooks: [String: [HookProgram]] = [:],
    environment: [String] = [], vars: [String: JSON] = [:], timeout: Duration? = nil, concurrency: Int? = nil,
    targets: Targets? = nil, rules: [Rule]? = nil, trials: TrialRules? = nil, origin: PipelineOrigin? = nil
  ) {
    self.name = name
    self.label = label
    self.trigger = trigger
    self.sources = sources
    self.stages = stages
    self.hooks = hooks
    self.environment = environment
    self.vars = vars
    self.timeout = timeout
    self.concurrency = concurrency
    self.targets = targets
    self.rules = rules
    self.trials = trials
    self.origin = origin
  }
}

/// What begins a run of a pipeline.
package struct PipelineTrigger: Sendable, Equatable, Codable {
  /// Which drops it takes; `nil` takes none.
  package var inbox: NamePattern?
  package var priority: Int
  /// New content of the pipeline's file starts a run, once per content.
  package var onConfig: Bool
  /// What happens to content that an earlier done drop had; `nil` leaves it to the settings.
  package var duplicates: DuplicateRule?
  /// A drop waits until a file of this name lies beside it; `nil` waits for none.
  package var doneFile: DoneFile?
  /// When it runs by the clock.
  package var schedule: Schedule?

  package init(
    inbox: NamePattern? = nil, priority: Int = 0, onConfig: Bool = false, duplicates: DuplicateRule? = nil,
    doneFile: DoneFile? = nil, schedule: Schedule? = nil
  ) {
    self.inbox = inbox
    self.priority = priority
    self.onConfig = onConfig
    self.duplicates = duplicates
    self.doneFile = doneFile
    self.schedule = schedule
  }
}

/// A file a run reads when it has no drop.
package struct DataSource: Sendable, Equatable, Codable {
  /// `csv`, `ndjson` or `parquet`.
  package var type: String
  /// Relative to the workspace, or absolute.
  package var path: String

  package init(type: String, path: String) {
    self.type = type
    self.path = path
  }
}

/// One program of a pipeline, and how it is run.
package struct Stage: Sendable, Equatable, Codable {
  package var name: String
  /// The registered stage it uses; `nil` where it names its own argv.
  package var uses: String?
  /// What is executed: the manifest's argv, or that of `run:`.
  ///
  /// `${input}` and the like are still inside.
  package var program: [String]
  package var params: [String: JSON]
  /// The stages whose outputs are its inputs; empty for the first.
  package var needs: [String]
  package var granularity: StageGranularity
  /// Extra parameters by level, merged over `params`.
  package var levelParams: [Granularity: [String: JSON]]
  /// Fraction of the records with `medium`, 0 < sample < 1.
  package var sample: Double
  /// The outputs of earlier stages that are handed on when the stage is `off`; `nil` hands on all.
  package var passthrough: [String]?
  package var timeout: Duration?
  package var retry: RetryPolicy
  package var onError: OnError
  package var onInterrupt: OnInterrupt
  /// Merged over `params` for one more attempt when all others failed.
  package var fallback: [String: JSON]?
  package var limits: ResourceLimits
  /// Manifest version, for people; `nil` where there is no manifest.
  package var version: String?
  /// Whether equal inputs give equal outputs, so that it may be taken from the cache.
  package var pure: Bool
  /// Of a `run:` stage, files whose content is its identity beside the program's, relative to the workspace.
  package var files: [String]?
  /// Of a `run:` stage, whether its outcome depends on how a trial splits the rows; a manifest says it for others.
  package var splits: Bool?
  /// It runs only where this holds, an SQL expression; see `Condition`.
  package var when: String?
  /// Attempts of it at the same time, over all runs; `nil` is no limit.
  package var concurrency: Int?
  package var breaker: Breaker?
  /// One call for every item.
  package var each: Each?

  package enum OnError: String, Sendable, Codable, CaseIterable {
    case fail
    case `continue`
  }

  package enum OnInterrupt: String, Sendable, Codable, CaseIterable {
    case retry
    case fail
    case hold
  }

  package init(
    name: String, uses: String? = nil, program: [String], params: [String: JSON] = [:],
    needs: [String] = [], granularity: StageGranularity = .fixed(.coarse, said: false),
    levelParams: [Granularity: [String: JSON]] = [:], sample: Double = 0.2, passthrough: [String]? = nil,
    timeout: Duration? = nil, retry: RetryPolicy = RetryPolicy(), onError: OnError = .fail,
    onInterrupt: OnInterrupt = .retry, fallback: [String: JSON]? = nil,
    limits: ResourceLimits = ResourceLimits(), version: String? = nil, pure: Bool = false,
    files: [String]? = nil, splits: Bool? = nil, when: String? = nil, concurrency: Int? = nil, breaker: Breaker? = nil,
    each: Each? = nil
  ) {
    self.name = name
    self.uses = uses
    self.program = program
    self.params = params
    self.needs = needs
    self.granularity = granularity
    self.levelParams = levelParams
    self.sample = sample
    self.passthrough = passthrough
    self.timeout = timeout
    self.retry = retry
    self.onError = onError
    self.onInterrupt = onInterrupt
    self.fallback = fallback
    self.limits = limits
    self.version = version
    self.pure = pure
    self.files = files
    self.splits = splits
    self.when = when
    self.concurrency = concurrency
    self.breaker = breaker
    self.each = each
  }
}

extension [Stage] {
  /// These stages and all they build on, of stages in an order in which each comes after those it needs.
  package func closure(of names: Set<String>) -> Set<String> {
    reversed().reduce(into: names) { reached, stage in
      if reached.contains(stage.name) { reached.formUnion(stage.needs) }
    }
  }
}

extension Pipeline {
  /// The manifest of a registered stage; `nil` where it names its own argv.
  package func manifest(of stage: Stage) -> Manifest? { stage.uses.flatMap { origin?.manifests[$0] } }

  /// Whether the outcome of a stage depends on how a trial splits the rows.
  package func splits(_ stage: Stage) -> Bool { manifest(of: stage)?.splits ?? stage.splits ?? false }
}

/// What the YAML says of a stage's granularity.
package enum StageGranularity: Sendable, Equatable, Codable {
  /// Rules, policy and trials decide.
  case auto
  /// This level; `said` is false where the YAML is silent and `coarse` is the default.
  case fixed(Granularity, said: Bool)
}

/// A hook named in the YAML of a pipeline.
package struct HookProgram: Sendable, Equatable, Codable {
  package var program: [String]
  package var timeout: Duration
  /// `nil` is the event's own default: before-hooks fail, after-hooks warn.
  package var onError: OnError?
  /// It answers one request per line and stays.
  package var persistent: Bool?
  /// The stages it is called for, of `before-stage` and `after-stage`: names or patterns with `*`; `nil` is all.
  package var stages: [String]?

  package enum OnError: String, Sendable, Codable, CaseIterable {
    case fail
    case warn
    case ignore
  }

  package init(
    program: [String], timeout: Duration = .seconds(30), onError: OnError? = nil, persistent: Bool? = nil,
    stages: [String]? = nil
  ) {
    self.program = program
    self.timeout = timeout
    self.onError = onError
    self.persistent = persistent
    self.stages = stages
  }

  /// Whether it is called around this stage; hooks of a run are called for no stage.
  package func isCalled(for stage: String?) -> Bool {
    guard let stages, let stage else { return true }
    return stages.contains { StagePattern($0).matches(stage) }
  }
}
