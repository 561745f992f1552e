import Core
import Foundation
import Glibc
import TestSupport
import Testing

/// What went wrong is tried again once, or acknowledged.
@Suite(.timeLimit(.minutes(2))) struct RetryTests {
  /// Fails until there is a file `fixed`.
  private func place() throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(stages: [("only", "cat >/dev/null; [ -e \"$PENSTOCK_HOME/fixed\" ] || exit 1")])
    return place
  }

  private func failed(_ place: ScenarioWorkspace, _ name: String = "a.csv") async throws {
    try place.drop(name)
    #expect(try await place.penstock("up", "--once").code == 1)
  }

  @Test func `without an agent a failed drop is tried again on its bytes, and the new run names the old`() async throws
  {
    let place = try place()
    try await failed(place)
    try place.write("fixed", "")
    let retried = try await place.penstock("retry", "a.csv")
    #expect(retried.code == 0 && retried.output.hasSuffix("run 2 done\n"), "\(retried.output)\(retried.complaints)")
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.failed, .done] && runs[1].rerunOf == runs[0].id)
    #expect(runs[0].acknowledged != nil && runs[1].drop?.sha256 == runs[0].drop?.sha256)
    #expect(place.filed("failed") == [runs[0].id.text: ["a.csv"]])
    #expect(place.filed("done") == [runs[1].id.text: ["a.csv"]])
    #expect(try await place.penstock("show", "2").output.contains("repeats   run 1"))
    #expect(try await place.penstock("why", "1").output.contains("again     run 2, which is done"))
  }

  @Test func `a run is tried again once, however often it is asked for`() async throws {
    let place = try place()
    try await failed(place)
    let agent = try await place.up()
    let asked = try (0..<4).map { _ in try place.start("retry", "1", "--wait") }
    var answers: [Int32] = []
    for command in asked { answers.append(try await command.end().code) }
    #expect(answers.sorted() == [1, 2, 2, 2])
    #expect(try await place.runs().count == 2)
    let again = try await place.penstock("retry", "1")
    #expect(
      again.code == 2
        && again.complaints.contains(
          "run 1 was tried again already, as run 2, which is failed; `penstock retry 2` tries that one again")
    )
    #expect(try await place.penstock("retry", "2", "--wait").code == 1)
    let runs = try await place.runs()
    #expect(runs.map(\.rerunOf) == [nil, runs[0].id, runs[1].id])
    #expect(place.names("var/work").isEmpty)
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `a quarantined drop runs when a pipeline takes it, without the note that lay beside it`() async throws {
    let place = try place()
    #expect(try await place.penstock("up", "--once").code == 0)
    try place.write("var/work/01a00000-0000-7000-8000-000000000002/nobody.txt", "x")
    #expect(try await place.penstock("up", "--once").code == 1)
    let refused = try await place.penstock("retry", "nobody.txt")
    #expect(refused.code == 2 && refused.complaints.contains("no pipeline takes `nobody.txt`"), "\(refused.complaints)")
    #expect(try await place.penstock("status").code == 1)
    try place.pipeline("texts", inbox: "*.txt", stages: [("only", "exit 0")])
    #expect(try await place.penstock("retry", "nobody.txt").code == 0)
    let runs = try await place.runs()
    try #require(runs.map(\.state) == [.quarantined, .done])
    #expect(place.names("var/done/\(runs[1].id)") == ["nobody.txt"])
    #expect(try await place.penstock("status").code == 3)
  }

  @Test func `all that failed is tried again by one command`() async throws {
    let place = try place()
    for name in ["a.csv", "b.csv", "c.csv"] { try place.drop(name) }
    #expect(try await place.penstock("up", "--once").code == 1)
    try place.write("fixed", "")
    let retried = try await place.penstock("retry", "--all", "--state", "failed", "--pipeline", "p")
    #expect(retried.code == 0, "\(retried.complaints)")
    #expect(try await place.runs().map(\.state) == [.failed, .failed, .failed, .done, .done, .done])
    #expect(try await place.penstock("retry", "--all").complaints == "nothing is left to try again\n")
    #expect(try await place.penstock("status").code == 3)
  }

  @Test func `what is done, at work or without a drop is refused in words`() async throws {
    let place = try place()
    try place.write("fixed", "")
    try place.drop("a.csv")
    #expect(try await place.penstock("up", "--once").code == 0)
    let done = try await place.penstock("retry", "1")
    #expect(done.code == 2 && done.complaints.contains("run 1 is done; what failed or was quarantined is tried again"))
    let unknown = try await place.penstock("retry", "nothing.csv")
    #expect(unknown.code == 2 && unknown.complaints.contains("`nothing.csv` names no run: give"))
  }

  @Test(arguments: [true, false])
  func `a run that waits for its next try goes on now, and is named by its drop`(isAlone: Bool) async throws {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("s", "echo here >&2; cd \"$PENSTOCK_HOME\"; [ -e fixed ] && while [ ! -e go ]; do sleep 0.05; done")],
      more: "    retry: { attempts: 2, backoff: 1h }\n")
    let agent = try await place.up()
    try place.drop("a.csv")
    try await until("the run to wait") { try await place.runs().first?.state == .waiting }
    #expect(try await place.penstock("why", "a.csv").output.contains("`penstock retry 1` lets it go on now"))
    #expect(try await place.penstock("show", "a.csv").output.contains("run 1  waiting"))
    #expect(try await place.penstock("logs", "a.csv").output.contains("here"))
    #expect(try await place.penstock("rerun", "b.csv").complaints.contains("`b.csv` names no run"))
    try place.write("fixed", "")
    if isAlone {
      #expect(try await place.stop(agent).code == 0)
      try place.write("go", "")
      #expect(try await place.penstock("retry", "a.csv", "--wait").code == 0)
    } else {
      #expect(try await place.penstock("retry", "a.csv").output == "run 1 goes on\n")
      try place.write("go", "")
    }
    let runs = try await place.ended()
    #expect(runs.map(\.state) == [.done])
    #expect(try await place.attempts(runs[0]).map(\.state) == [.failed, .ok])
    if !isAlone { #expect(try await place.stop(agent).code == 0) }
  }

  @Test func `a drop that someone took out of failed is refused in words, and nothing is begun`() async throws {
    let place = try place()
    try await failed(place)
    let run = try #require(try await place.runs().first)
    #expect(unlink(place.path("var/failed/\(run.id)/a.csv")) == 0)
    let refused = try await place.penstock("retry", "1")
    #expect(refused.code == 2 && refused.complaints.contains("a.csv` is not there any more"), "\(refused.complaints)")
    #expect(try await place.runs().count == 1 && place.names("var/work").isEmpty)
  }

  @Test func `acknowledged, a failure and a quarantine no longer count for status`() async throws {
    let place = try place()
    try await failed(place)
    try place.drop("b.csv")
    #expect(symlink("/etc/passwd", place.path("inbox/link.csv")) == 0)
    #expect(try await place.penstock("up", "--once").code == 1)
    #expect(try await place.penstock("status").code == 1)
    let why = try await place.penstock("why", "link.csv").output
    #expect(
      why.contains("next      `penstock put` what it points to, for no link is followed; `penstock ack"), "\(why)")
    #expect(try await place.penstock("status").output.contains(": `penstock put` what it points to"))
    #expect(try await place.penstock("retry", "link.csv").complaints.contains("`penstock put` what it points to"))
    let agent = try await place.up()
    #expect(try await place.penstock("ack", "b.csv").output.hasPrefix("acknowledged 1 run: "))
    #expect(try await place.penstock("status").code == 1)
    let all = try await place.penstock("ack", "--all", "--json")
    #expect(all.code == 0 && all.json["acknowledged"] as? Int == 2, "\(all.output)")
    #expect(try await place.penstock("status").code == 0)
    #expect(try await place.penstock("ack", "--all").output == "nothing is left to acknowledge\n")
    #expect(try await place.runs().allSatisfy { $0.acknowledged != nil })
    #expect(try await place.stop(agent).code == 0)
    #expect(try await place.penstock("status").code == 3)
    // a new failure counts again
    try await failed(place, "c.csv")
    #expect(try await place.penstock("status").code == 1)
    #expect(try await place.penstock("acknowledge", "last").code == 0)
    #expect(try await place.penstock("status").code == 3)
  }

  @Test func `killed at any moment, a retry happens once or not at all`() async throws {
    let place = try place()
    try await failed(place)
    try place.write("fixed", "")
    for delay in [0, 5, 15, 40, 80, 150] {
      let retry = try place.start(["retry", "1"])
      try await Task.sleep(for: .milliseconds(delay))
      retry.signal(SIGKILL)
      _ = try await retry.end()
      try await until("the last keeper of the killed command to let go") {
        try await place.penstock("up", "--once").code != 75
      }
    }
    let runs = try await place.runs()
    #expect(runs.count <= 2 && runs.allSatisfy { $0.state.isTerminal && $0.filed })
    _ = try await place.penstock("retry", "1")
    let after = try await place.runs()
    #expect(after.map(\.state) == [.failed, .done])
    #expect(place.names("var/work").isEmpty && place.filed("done").count == 1)
    #expect(place.text("var/failed/\(after[0].id)/a.csv") == place.text("var/done/\(after[1].id)/a.csv"))
  }

  /// A run of `on_interrupt: hold` whose agent was killed while its stage was at work; that ends when there is `go`.
  private func killedAtWork() async throws -> ScenarioWorkspace {
    let place = try ScenarioWorkspace()
    try place.pipeline(
      stages: [("only", "touch \"$PENSTOCK_HOME/began\"; while [ ! -e \"$PENSTOCK_HOME/go\" ]; do sleep 0.05; done")],
      more: "    on_interrupt: hold\n")
    let killed = try await place.up()
    try place.drop("a.csv")
    try await until("the stage to be at work; \(place.tail)") { place.exists("began") }
    killed.signal(SIGKILL)
    _ = try await killed.end()
    return place
  }

  @Test(arguments: [true, false])
  func `a run that waits for a person goes on when one says so, with and without an agent`(hasAgent: Bool) async throws
  {
    let place = try await killedAtWork()
    try place.write("go", "")
    #expect(try await place.penstock("up", "--once").code == 0)
    #expect(try await place.runs().map(\.state) == [.waiting])
    let why = try await place.penstock("why", "1").output
    #expect(why.contains("because   stage `only` was interrupted, and `on_interrupt: hold` waits"), "\(why)")
    #expect(why.contains("next      `penstock retry 1` lets it go on"), "\(why)")
    let agent = hasAgent ? try await place.up() : nil
    let retried = try await place.penstock("retry", "1", "--wait")
    #expect(retried.code == 0 && retried.output.hasSuffix("run 1 done\n"), "\(retried.output)\(retried.complaints)")
    let run = try #require(try await place.runs().first)
    #expect(try await place.attempts(run).map(\.state) == [.interrupted, .ok])
    #expect(try await place.penstock("retry", "1").code == 2)
    if let agent { #expect(try await place.stop(agent).code == 0) }
  }

  @Test func `a run that waited for a person is said to go on`() async throws {
    let place = try await killedAtWork()
    let agent = try await place.up()
    try await until("the run to wait; \(place.tail)") { try await place.runs().first?.state == .waiting }
    #expect(try await place.penstock("retry", "a.csv").output == "run 1 goes on\n")
    try place.write("go", "")
    #expect(try await place.ended().map(\.state) == [.done])
    #expect(try await place.stop(agent).code == 0)
  }

  @Test func `put and run --input take names that are no UTF-8`() async throws {
    let place = try place()
    try place.write("fixed", "")
    try place.script(
      "ask.sh",
      """
      cd "$HOME" && printf 'a,b' > "$(printf 'd\\377.csv')"
      "$1" put -C "$HOME" "$(printf 'd\\377.csv')" || exit
      "$1" run -C "$HOME" p --input="$(printf 'd\\377.csv')"
      """)
    let asked = try await ScenarioProgram(
      [place.path("ask.sh"), try builtProduct("penstock")],
      environment: ["PATH": "/usr/bin:/bin", "HOME": place.home, "TZ": "UTC"], logs: place.path("logs/asked")
    ).end()
    #expect(asked.code == 0, "\(asked.complaints)")
    #expect(try await place.penstock("up", "--once").code == 0)
    let runs = try await place.runs()
    #expect(runs.map(\.state) == [.done, .done])
    #expect(runs.allSatisfy { $0.drop?.name.bytes == [0x64, 0xFF] + Array(".csv".utf8) })
  }
}
