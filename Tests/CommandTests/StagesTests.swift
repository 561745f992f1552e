import Core
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct StagesTests {
  private static let manifest = """
    stage: my/count
    version: 2.0.0
    summary: "Counts rows"
    run: ["./count.sh"]
    params:
      type: object
      additionalProperties: false
      required: [by]
      properties:
        by: { type: string, enum: [row, column], description: "What is counted" }
        most: { type: integer, minimum: 1, default: 5, description: "No more than this" }
    granularity:
      coarse: "every row"
      fine: "an estimate from the size"
    inputs: [table]
    outputs: [counts]
    pure: true

    """

  @Test func `without any it says how to register one`() async throws {
    let scene = try Scene()
    #expect(
      try await scene.ask("stages").output.hasPrefix(
        "no stages are registered: put a manifest at stages/KIT/NAME.yaml"))
  }

  @Test func `stages are listed and told`() async throws {
    let scene = try Scene(["stages/my/count.yaml": Self.manifest])
    try await scene.expect(
      "stages",
      stdout: """
        stage     version  levels       does
        my/count  2.0.0    coarse fine  Counts rows

        """)
    try await scene.expect(
      "stages", "show", "my/count",
      stdout: """
        my/count 2.0.0
        Counts rows

          program   ./count.sh
          reads     table
          leaves    counts
          cache     equal inputs give equal outputs: may be taken from the cache
          manifest  stages/my/count.yaml

        levels
          coarse (full)                every row
          fine (simplified algorithm)  an estimate from the size

        params
          name  type            default   is
          by    row | column    required  What is counted
          most  integer from 1  5         No more than this

        """)
    let stage = try await scene.ask("stages", "show", "my/count", "--json").json
    #expect(stage["name"] as? String == "my/count")
    #expect((stage["levels"] as? [String: String])?["fine"] == "an estimate from the size")
    try await scene.expect(
      "stages", "show", "my/cuont",
      stderr: "penstock: no stage is registered as `my/cuont`; did you mean `my/count`?\n", exit: 2)
  }

  @Test(arguments: Schemas.names)
  func `every schema is printed as the program has it`(name: String) async throws {
    try await Scene().expect("schema", name, stdout: Schemas.named(name) ?? "missing")
  }

  @Test func `schemas are listed`() async throws {
    try await Scene().expect("schema", stdout: Schemas.names.joined(separator: "\n") + "\n")
  }
}
