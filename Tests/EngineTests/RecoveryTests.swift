import Core
import Foundation
import Store
import Testing

@testable import Engine

/// What a death left is taken up once, whatever was going on, and twice is as once.
@Suite(.timeLimit(.minutes(5))) struct RecoveryTests {
  let place: Aftermath

  init() async throws {
    func stage(_ name: String, _ policy: Stage.OnInterrupt) -> Stage {
      var stage = Stage(name: name, program: ["/bin/true"], timeout: .seconds(9))
      stage.onInterrupt = policy
      return stage
    }
    place = try await Aftermath(stages: [stage("again", .retry), stage("never", .fail), stage("ask", .hold)])
  }

  @Test func `everything that was open is taken up, and a second recovery changes no row`() async throws {
    try await place.runs([1: nil, 2: "again", 3: "never", 4: "ask", 5: nil])
    try await place.store.park(Aftermath.id(5), until: Aftermath.noon, reason: "later", at: Aftermath.noon)
    try place.work(6, [FileName("6.csv")])
    try place.work(7, [])
    try place.work(8, [FileName("a stray.txt")])
    let first = place.next()
    try await first.recovery.run()
    let reader = place.store.reader
    var states: [RunState] = []
    for n in [1, 2, 3, 4, 5, 6, 8] { states.append(try await reader.run(matching: .id(Aftermath.id(n))).state) }
    #expect(states == [.queued, .running, .failed, .waiting, .waiting, .queued, .quarantined])
    #expect(first.dispatcher.known == Set([1, 2, 4, 5, 6].map(Aftermath.id)))
    #expect(!FileManager.default.fileExists(atPath: place.home + "/var/work/" + Aftermath.id(7).text))
    for (n, stage) in [(2, "again"), (3, "never"), (4, "ask")] {
      let attempt = try #require(try await reader.attempts(of: Aftermath.id(n)).first)
      #expect(attempt.state == .interrupted && attempt.stage == stage && attempt.reason == "the agent died")
    }
    let rows = try place.rows()
    let second = place.next()
    try await second.recovery.run()
    #expect(try place.rows() == rows)
    #expect(second.dispatcher.known == first.dispatcher.known)
  }

  @Test func `an interruption and what it means for the run are one transaction, and many share a sync`() async throws {
    try await place.runs(Dictionary(uniqueKeysWithValues: (1...600).map { ($0, ["again", "never", "ask"][$0 % 3]) }))
    let before = place.store.commits
    try await place.next().recovery.run()
    #expect(place.store.commits - before == 2)
    #expect(try await place.store.reader.runningAttempts().isEmpty)
    let counts = try await place.store.reader.counts()
    #expect(counts.map(\.count) == [200, 200, 200] && Set(counts.map(\.state)) == [.failed, .running, .waiting])
  }

  @Test func `work without a row is adopted in batches, each drop once, strangers beside it going along`() async throws
  {
    for n in 1...300 { try place.work(n, [FileName("\(n).csv")]) }
    try place.work(301, [FileName("a.csv"), FileName("b.csv")])
    let before = place.store.commits
    let parts = place.next()
    try await parts.recovery.run()
    #expect(place.store.commits - before == 2)
    #expect(try await place.store.reader.runs(limit: 999).count == 301)
    #expect(parts.dispatcher.backlog == 301)
    #expect(try await place.store.reader.run(matching: .id(Aftermath.id(301))).drop?.name.text == "a.csv")
  }

  @Test func `an interruption burns no attempt of retry`() async throws {
    let stage = Stage(name: "again", program: ["/bin/true"], timeout: .seconds(9))
    let pipeline = Pipeline(name: "p", stages: [stage])
    let run = Run(id: Aftermath.id(1), pipeline: "p", version: "d", trigger: .drop, created: Aftermath.noon)
    func attempt(_ n: Int, _ state: AttemptState) -> Attempt {
      Attempt(
        run: run.id, stage: "again", n: n, state: state,
        granularity: GranularityOpinion(.standard, .coarse, reason: ""), seed: 1, started: Aftermath.noon,
        ended: Aftermath.noon, boot: "b")
    }
    var session = RunSession(run: run, pipeline: pipeline, origin: [], context: .object([:]))
    session.resume(attempts: (1...5).map { attempt($0, .interrupted) }, artifacts: []) { $0.path }
    #expect(session.attempts["again"] == 5 && session.tries["again", default: 0] == 0)
    #expect(session.ready(at: Aftermath.noon).first?.name == "again")
  }

  @Test(arguments: [
    (Stage.OnInterrupt?.none, "goes on"), (.retry, "goes on"), (.fail, "forbids another try"),
    (.hold, "waits for a person"),
  ])
  func `on_interrupt says what an interrupted run does`(policy: Stage.OnInterrupt?, words: String) {
    switch Interruption.Verdict(policy, stage: "train", run: Nouns.run()) {
    case .goesOn: #expect(words == "goes on")
    case .fails(let reason), .holds(let reason): #expect(reason.contains(words) && reason.contains("`train`"))
    }
  }

  @Test func `a backup is due after its time, after a clock that was set back too, and not where nothing changed`() {
    let noon = Aftermath.noon
    var plan = BackupPlan(every: .seconds(3600), last: nil)
    func due(_ after: TimeInterval, commits: Int) -> Bool { plan.isDue(at: noon + after, commits: commits) }
    let isFirstDue = due(0, commits: 1)
    plan.made(at: noon, commits: 1)
    let wait = plan.wait(at: noon)
    let later = [due(3599, commits: 2), due(3600, commits: 2), due(-86400, commits: 2), due(3600, commits: 1)]
    // where nothing changed, the next is due an hour later
    let afterwards = due(3601, commits: 2)
    plan.failed(at: noon, pause: 60)
    #expect(isFirstDue && wait == .seconds(3600) && later == [false, true, true, false] && !afterwards)
    #expect(plan.wait(at: noon) == .seconds(60))
    #expect(BackupPlan(every: .zero, last: nil).wait(at: noon) == nil)
    #expect(BackupPlan(every: .seconds(3600), last: noon).wait(at: noon + 60) == .seconds(3540))
  }
}
