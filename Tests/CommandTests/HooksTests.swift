import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct HooksTests {
  @Test func `without hooks it says how to make one`() async throws {
    try await Scene().expect(
      "hooks",
      stdout:
        "no hooks yet: put a program into hooks/EVENT.d/, such as hooks/before-run.d/10-check, and make it executable\n"
    )
    try await Scene().expect("hooks", "--json", stdout: "{\"api\":1,\"hooks\":[],\"warnings\":[]}\n")
  }

  @Test func `hooks are listed in the order they run`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml": """
      pipeline: { name: p }
      trigger: { inbox: "*.csv" }
      stages: [{ name: one, run: ["true"] }]
      hooks: { before-one: [{ run: ["./hooks/y.sh", "--cap"], timeout: 5s, on_error: warn }] }

      """,
      "hooks/y.sh": "#!/bin/sh\n", "hooks/after-run.d/10-tell": "#!/bin/sh\n",
      "hooks/before-one.d/20-b": "#!/bin/sh\n", "hooks/before-one.d/10-a": "no program",
    ])
    try await scene.expect(
      "hooks", "list",
      stdout: """
        event       hook                      of             limit  on error  note
        before-one  hooks/before-one.d/10-a   all pipelines    30s  fail      does not run: is not executable: chmod +x it
        before-one  hooks/before-one.d/20-b   all pipelines    30s  fail
        before-one  hooks/y.sh --cap          p                 5s  warn
        after-run   hooks/after-run.d/10-tell  all pipelines    30s  warn

        """.replacing("hooks/before-one.d/10-a ", with: "hooks/before-one.d/10-a  ")
          .replacing("hooks/before-one.d/20-b ", with: "hooks/before-one.d/20-b  ")
          .replacing("hooks/y.sh --cap ", with: "hooks/y.sh --cap  ").replacing("hook   ", with: "hook    "))
    let hooks = try await scene.ask("hooks", "--json").list("hooks")
    #expect(hooks.map { $0["event"] as? String } == ["before-one", "before-one", "before-one", "after-run"])
    #expect(hooks.map { $0["runs"] as? Bool } == [false, true, true, true])
    #expect(hooks[2]["pipeline"] as? String == "p")
    #expect(hooks[2]["timeout_s"] as? Double == 5)
  }

  @Test func `a sample envelope is one that a stage's hook would get`() async throws {
    let scene = try Scene([
      "pipelines/p.yaml":
        "pipeline: { name: p }\ntrigger: { inbox: \"*.csv\" }\nstages: [{ name: one, run: [\"true\"] }]\n"
    ])
    let envelope = try await scene.ask("hooks", "test", "after-one").json
    #expect(envelope["event"] as? String == "after-one")
    #expect((envelope["stage"] as? [String: Any])?["name"] as? String == "one")
    #expect((envelope["outcome"] as? [String: Any])?["state"] as? String == "ok")
    #expect((envelope["drop"] as? [String: Any])?["name"] as? String == "sample.csv")
  }

  @Test(arguments: [
    ("cat >/dev/null; echo '{\"decision\":\"deny\",\"reason\":\"not today\"}'", "deny", "not today", 0),
    ("cat >/dev/null", "allow", nil, 0),
    ("exit 75", "defer", nil, 0),
    (
      "echo nonsense", "error",
      "bad reply: the reply is not one JSON object: no value begins so (byte 1): `nonsense\\n`; "
        + "stdout is for the reply alone, stderr for messages", 1
    ),
    ("exit 3", "error", "it ended with exit code 3", 1),
  ])
  func `a hook is tried`(text: String, decision: String, reason: String?, exit: Int) async throws {
    let scene = try Scene(["hooks/try.sh": "#!/bin/sh\n" + text + "\n"])
    let tried = try await scene.ask("hooks", "test", "before-run", "hooks/try.sh", "--json")
    #expect(tried.json["decision"] as? String == decision)
    // people read one word for it everywhere
    let words = try await scene.ask("hooks", "test", "before-run", "hooks/try.sh").output
    #expect(words.contains(": \(decision == "error" ? "went wrong" : decision) after "), "\(words)")
    #expect(tried.json["reason"] as? String == reason)
    #expect(tried.code == exit)
  }
}
