import Core
import Foundation

/// Where a run stands while it is worked: what its stages left, what runs, and what may begin.
struct RunSession {
  var run: Run
  let pipeline: Pipeline
  /// What the first stage gets: the drop or the data sources.
  let origin: [Envelope.FilePart]
  private(set) var outputs: [String: [Envelope.FilePart]] = [:]
  private(set) var settled: Set<String> = []
  private(set) var running: Set<String> = []
  /// Stages that are not to begin before a moment, and why.
  private(set) var delays: [String: Delay] = [:]
  private(set) var context: RunContext
  /// Attempts so far by stage, interruptions too: the next one's number is one more.
  private(set) var attempts: [String: Int] = [:]
  /// Attempts that count against `retry`, by stage.
  private(set) var tries: [String: Int] = [:]
  private(set) var usedFallback: Set<String> = []
  /// Stages whose outcomes are those of the run this one repeats.
  var taken: Set<String> = []
  /// Who has an opinion on the levels of stages that are `auto`.
  var counsel = Counsel()
  /// What the replies said, by stage; conditions see it.
  private(set) var facts = StageFacts()
  /// How long the run was at work before this agent took it up.
  private(set) var worked = Duration.zero
  /// Stages whose next try is the first with the parameters of `fallback`.
  private(set) var beginsAnew: Set<String> = []
  /// Called since the last step was recorded.
  var hookCalls: [HookCall] = []
  /// `nil` for a run on data sources, which are nobody's drop.
  var drop: DropGuard?

  init(run: Run, pipeline: Pipeline, origin: [Envelope.FilePart], context: JSON) {
    self.run = run
    self.pipeline = pipeline
    self.origin = origin
    self.context = RunContext(context, stages: pipeline.stages)
  }

  /// Until when a stage waits.
  struct Delay: Equatable {
    var until: Date
    var reason: String
    /// A hook asked for it.
    var isDeferred = false
  }

  /// Takes up what was recorded of the run before.
  /// - Parameter path: the absolute path of an artifact.
  mutating func resume(attempts: [Attempt], artifacts: [Artifact], path: (Artifact) -> String) {
    let left = Dictionary(grouping: artifacts, by: \.stage)
    worked = WorkedTime.of(attempts)
    for stage in pipeline.stages {
      let own = attempts.filter { $0.stage == stage.name }.sorted { $0.n < $1.n }
      for attempt in own { count(attempt) }
      guard let last = own.last else { continue }
      if let again = last.again, !run.isUrged {
        delays[stage.name] = Delay(
          until: again, reason: "stage `\(stage.name)` is tried again: \(last.reason ?? "")",
          isDeferred: last.state == .interrupted)
      }
      switch last.state {
      case .ok, .cached:
        settle(stage, leaving: (left[stage.name] ?? []).map { Envelope.FilePart($0, path: path($0)) })
      case .skipped: settle(stage, leaving: passedOn(by: stage))
      case .failed, .timeout, .interrupted, .running, .denied, .cancelled:
        // a fan-out stage of which too many items failed leaves the others
        let items = stage.each == nil ? [] : (left[stage.name] ?? []).map { Envelope.FilePart($0, path: path($0)) }
        takeUpFailures(own, of: stage, isFollowed: isFollowed(stage, by: attempts), leaving: items)
      }
    }
  }

  /// A stage whose tries are used up has its fallback next; one that has no other chance left was let pass.
  private mutating func takeUpFailures(
    _ own: [Attempt], of stage: Stage, isFollowed: Bool, leaving left: [Envelope.FilePart]
  ) {
    let failures = own.filter { $0.state == .failed || $0.state == .timeout }
    let spent = failures.indices.first { stage.retry.isSpent(by: failures[...$0]) }
    let isFallbackNext = spent == failures.indices.last && stage.fallback != nil
    if let spent, isFallbackNext || spent < failures.count - 1 { usedFallback.insert(stage.name) }
    if isFallbackNext, own.last?.state != .interrupted { beginsAnew.insert(stage.name) }
    let hasFailedForGood = spent != nil && !isFallbackNext && own.last?.state != .interrupted
    if isFollowed || (hasFailedForGood && stage.onError == .continue) { settle(stage, leaving: left) }
  }

  private func isFollowed(_ stage: Stage, by attempts: [Attempt]) -> Bool {
    // stages of one flow begin together
    let later = Set(
      pipeline.stages.filter { $0.needs.contains(stage.name) && (stage.each == nil || $0.each == nil) }.map(\.name))
    return attempts.contains { later.contains($0.stage) }
  }

  var isSettled: Bool { pipeline.stages.allSatisfy { settled.contains($0.name) } }

  /// Stages that nothing keeps from beginning, in order.
  func ready(at now: Date) -> [Stage] {
    pipeline.stages.filter { stage in
      !settled.contains(stage.name) && !running.contains(stage.name)
        && stage.needs.allSatisfy { settled.contains($0) }
        && delays[stage.name].map { $0.until <= now } ?? true
    }
  }

  /// The delay that ends first.
  var nextDelay: Delay? { delays.values.min { $0.until < $1.until } }

  mutating func begin(_ stage: Stage) {
    running.insert(stage.name)
    delays[stage.name] = nil
  }

  mutating func delay(_ stage: Stage, _ delay: Delay) { delays[stage.name] = delay }

  /// An attempt has ended: what it said, and the hooks that were called for it.
  mutating func take(_ attempt: Attempt, _ calls: [HookCall]) {
    running.remove(attempt.stage)
    hookCalls += calls
    count(attempt)
  }

  /// Changes the context of every stage by a JSON merge patch.
  mutating func patch(context patch: JSON) { context.patch(patch) }

  /// What the stages it needs left: for the first, the drop.
  func inputs(of stage: Stage) -> [Envelope.FilePart] {
    stage.needs.isEmpty ? origin : stage.needs.flatMap { outputs[$0] ?? [] }
  }

  /// What a stage left itself, without what it handed on.
  func left(by stage: Stage) -> [Envelope.FilePart] {
    (outputs[stage.name] ?? []).filter { $0.stage == stage.name }
  }

  /// What a bypassed stage hands on.
  func passedOn(by stage: Stage) -> [Envelope.FilePart] {
    let inputs = inputs(of: stage)
    guard let names = stage.passthrough else { return inputs }
    return inputs.filter { names.contains($0.name) }
  }

  /// A stage that left nothing, as one that only checks or notifies, hands its inputs on.
  mutating func settle(_ stage: Stage, leaving files: [Envelope.FilePart]) {
    outputs[stage.name] = files.isEmpty ? inputs(of: stage) : files
    settled.insert(stage.name)
  }

  mutating func count(_ attempt: Attempt) {
    attempts[attempt.stage] = max(attempts[attempt.stage] ?? 0, attempt.n)
    beginsAnew.remove(attempt.stage)
    if attempt.state != .interrupted, attempt.state != .running { tries[attempt.stage, default: 0] += 1 }
    facts.take(attempt)
    context.add(attempt.contextPatches, from: attempt.stage)
  }

  mutating func fallBack(_ stage: Stage) {
    usedFallback.insert(stage.name)
    beginsAnew.insert(stage.name)
  }

  /// Hands over the hook calls that no step has recorded yet.
  mutating func takeHookCalls() -> [HookCall] {
    defer { hookCalls = [] }
    return hookCalls
  }
}

extension RetryPolicy {
  /// Whether failures leave no other try, as far as how their programs ended tells.
  fileprivate func isSpent(by failures: ArraySlice<Attempt>) -> Bool {
    switch failures.last?.termination {
    case .exited(2): true
    // the program asked for another try, or its reply was bad: then one try too many does no harm
    case .exited(0), .exited(75): failures.count >= max(attempts, StageOutcome.leastWhenAsked)
    default: failures.count >= attempts
    }
  }
}

extension Envelope.FilePart {
  init(_ artifact: Artifact, path: String) {
    self.init(
      name: artifact.name, path: path, stage: artifact.stage, sha256: artifact.sha256, bytes: artifact.bytes)
  }
}
