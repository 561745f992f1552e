import Foundation
import Glibc
import Testing

@Suite(.timeLimit(.minutes(2))) struct InboxTests {
  private static let files = [
    "pipelines/p.yaml":
      "pipeline: { name: p }\ntrigger: { inbox: \"fx-{pair}.csv\" }\nstages: [{ name: s, run: [\"true\"] }]\n"
  ]

  @Test func `an empty inbox says what to do`() async throws {
    try await Scene().expect("inbox", stdout: "the inbox is empty: drop a file with `penstock put FILE`\n")
    try await Scene().expect(
      "inbox", "--json", stdout: "{\"api\":1,\"drops\":[],\"invalid_pipelines\":[],\"paused\":null,\"trouble\":null}\n")
  }

  @Test func `every name is told with what it waits for`() async throws {
    let scene = try Scene(Self.files)
    try scene.file("inbox/fx-eurusd.csv", "12345")
    try scene.file("inbox/fx-usd.cvs", "1")
    try scene.file("inbox/half.csv.part", "1")
    try scene.file("inbox/deep/er.csv", "1")
    try scene.file("elsewhere.csv", "1")
    link(scene.path("elsewhere.csv"), scene.path("inbox/fx-linked.csv"))
    try await scene.expect(
      "inbox",
      stdout: """
        drop           size  state        pipeline  waits
        deep                 held                   it is a directory; drop files, not directories
        fx-eurusd.csv   5 B  ready        p         for an agent: `penstock up`
        fx-linked.csv   1 B  ready        p         for an agent: `penstock up`
        fx-usd.cvs      1 B  unmatched              no pipeline takes it; the nearest pattern is `fx-{pair}.csv`
        half.csv.part        passed over            no drop by its name: a transfer that is not finished

        """)
    let drops = try await scene.ask("inbox", "--json").list("drops")
    #expect(drops.map { $0["state"] as? String } == ["held", "ready", "ready", "unmatched", "passed_over"])
    #expect(drops[3]["nearest"] as? String == "fx-{pair}.csv")
  }

  @Test func `a drop that is still being written waits for its writer`() async throws {
    let scene = try Scene(Self.files)
    let writer = open(scene.path("inbox/fx-eurusd.csv"), O_WRONLY | O_CREAT, 0o644)
    defer { close(writer) }
    #expect(
      try await scene.ask("inbox").output.contains(
        "fx-eurusd.csv   0 B  waiting  p         waiting for its writer"))
  }
}
