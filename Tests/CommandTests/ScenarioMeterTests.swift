import Core
import Foundation
import Store
import TestSupport
import Testing

/// The CPU time that a trial says it used beside what the kernel says of the command from outside: trials.md 6, test 10.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ScenarioMeterTests {
  /// Runs a command as the reaper of whatever it leaves, waits for all of it, and writes down what getrusage(2) says.
  private static let meter = """
    import ctypes, json, os, resource, sys
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    own = os.fork()
    if own == 0: os.execv(sys.argv[2], sys.argv[2:])
    code = 1
    while True:
        try: pid, status = os.wait()
        except ChildProcessError: break
        if pid == own: code = os.waitstatus_to_exitcode(status)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    json.dump({"cpu": used.ru_utime + used.ru_stime}, open(sys.argv[1], "w"))
    sys.exit(code)
    """

  /// Burns a known amount by its own clock, and says how much that was when it ends, however it ends.
  private static let train = """
    #!/usr/bin/env python3
    import json, os, random, signal, sys, time
    request = json.load(sys.stdin)
    mode = request["stage"]["params"].get("mode", "plain")
    trial, home = request["run"]["trial"], os.environ["PENSTOCK_HOME"]
    def say():
        with open(os.path.join(home, "burnt"), "a") as burnt: burnt.write(f"{mode} {time.process_time()}\\n")
    def burn(seconds):
        end = time.process_time() + seconds
        while time.process_time() < end: pass
    if mode == "leaver":
        done = os.path.join(os.getcwd(), "done")
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0: os._exit(0)
            burn(0.1)
            say()
            open(done, "w").close()
            time.sleep(1000)
        os.wait()
        while not os.path.exists(done): time.sleep(0.01)
        burn(0.05)
    elif mode == "crash":
        burn(0.2)
        say()
        os.kill(os.getpid(), signal.SIGSEGV)
    else:
        burn(0.3)
    fold = trial["fold"] if trial else 0
    chance = random.Random(f"{trial and trial['seed']}/{fold}")
    rows = list(range(fold, 400, 2))
    scores = [1.0 if chance.random() < 0.9 else 0.0 for row in rows]
    json.dump({"rows": rows, "scores": scores}, open("row_scores.json", "w"))
    quality = sum(scores) / len(scores)
    print(json.dumps({"metrics": {"quality": quality}, "outputs": [{"name": "row_scores", "path": "row_scores.json"}]}))
    sys.stdout.flush()
    say()
    """

  /// Without end where it is told to be slow: its timeout ends it.
  private static let wait = "case $(cat) in *'\"slow\":1'*) while :; do :; done;; esac"

  /// What an arm does, given by hand beside the control.
  enum Deed: String, CaseIterable {
    /// It leaves a process that it does not wait for, in a session of its own, which burns the most of it.
    case leaver = "train: { mode: leaver }"
    case crash = "train: { mode: crash }"
    /// Its timeout ends it.
    case slow = "wait: { slow: 1 }"
  }

  private func workspace(_ deed: Deed) async throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.write("meter.py", Self.meter)
    try place.write("stages/train.py", Self.train, mode: 0o755)
    try place.script("stages/wait.sh", Self.wait)
    try place.write(
      "pipelines/p.yaml",
      """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      trials:
        metric: quality
        margin: 0.05
        folds: 2
        arms:
          - { name: other, params: { \(deed.rawValue) } }
      stages:
        - { name: wait, run: [./stages/wait.sh], timeout: 3s }
        - { name: train, run: [./stages/train.py], splits: true }
      """)
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    return place
  }

  /// CPU seconds of `trials start` and all it left behind.
  private func metered(_ place: ScenarioWorkspace, budget: String) async throws -> Double {
    let wrapper = ["/usr/bin/env", "python3", place.path("meter.py"), place.path("cpu")]
    let ended = try await place.start(["trials", "start", "p", "--wait", "--budget", budget], wrapped: wrapper).end()
    #expect(ended.code == 0, "\(ended.output)\(ended.complaints)")
    return try #require(try JSON(parsing: place.bytes("cpu"))["cpu"]?.double)
  }

  private func observations(_ place: ScenarioWorkspace) async throws -> [TrialObservation] {
    try await place.reader { try await $0.observations(of: 1) }
  }

  @Test(arguments: Deed.allCases)
  func `10: what a trial says it used is what the kernel says from outside, and its budget holds`(deed: Deed)
    async throws
  {
    let place = try await workspace(deed)
    try FileManager.default.removeItem(atPath: place.path("burnt"))
    _ = try await metered(place, budget: "1ms")
    let begun = try await observations(place).reduce(0) { $0 + $1.spent }
    // the command itself: it finds that the CPU time does not do for an evaluation, and evaluates nothing
    let idle = try await metered(place, budget: "1ms")
    #expect(try await observations(place).reduce(0) { $0 + $1.spent } == begun)

    let budget = 2.0
    let outside = try await metered(place, budget: "2s")
    let observations = try await observations(place)
    let ledger = observations.reduce(0) { $0 + $1.spent } - begun
    let burnt = place.text("burnt").split(separator: "\n").map { $0.split(separator: " ") }
    let reasons = observations.compactMap(\.reason).joined(separator: " ")
    switch deed {
    case .leaver: #expect(burnt.count { $0[0] == "leaver" } >= 4)
    case .crash: #expect(burnt.contains { $0[0] == "crash" } && reasons.contains("signal 11"), "\(reasons)")
    case .slow: #expect(reasons.contains("timeout of 3s"), "\(reasons)")
    }
    let state = try await place.reader { try await $0.trial(number: 1)?.state }
    #expect(deed == .leaver || state == .kept, "\(String(describing: state))")
    // what the programs said themselves when they ended, which the slow one cannot
    let said = burnt.compactMap { Double($0[1]) }.reduce(0, +)
    let all = observations.reduce(0) { $0 + $1.spent }
    let calls = 2 * Double(burnt.count) + 1
    let figures =
      "outside \(outside), the command itself \(idle), ledger \(ledger); \(burnt.count) processes said \(said) of \(all)"
    #expect(all >= said, "\(figures)")
    if deed != .slow { #expect(all <= 1.05 * said + 0.01 * calls, "\(figures)") }
    // for each program the spawner, its keeper, and the agent: 10 ms at most, no part of the ledger
    #expect(outside - idle >= ledger && outside - idle <= 1.05 * ledger + 0.01 * calls, "\(figures)")
    #expect(ledger <= 1.05 * budget)
  }
}
