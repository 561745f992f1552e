import Core
import Foundation
import Testing

@Suite struct RoutingTests {
  private func version(_ name: String, _ pattern: String?, priority: Int = 0) throws -> PipelineVersion {
    PipelineVersion(
      digest: name,
      pipeline: Pipeline(
        name: name,
        trigger: PipelineTrigger(inbox: try pattern.map { try NamePattern($0) }, priority: priority),
        stages: []), source: "", path: "", loaded: Date(timeIntervalSince1970: 0))
  }

  @Test func `C07: the higher priority wins, then the longer literal, then the name`() throws {
    let versions = [
      try version("b", "fx-*.csv"), try version("a", "fx-*.csv"), try version("long", "fx-eur{x}.csv"),
      try version("first", "*", priority: 1), try version("none", nil),
    ]
    let name = FileName("fx-eurusd.csv")
    #expect(Routing.candidates(for: name, among: versions) == ["first", "long", "a", "b"])
    for count in 0..<24 {
      var shuffled = versions
      var chance = Seeded(UInt64(count))
      shuffled.shuffle(using: &chance)
      #expect(Routing.route(name, among: shuffled)?.version.pipeline.name == "first")
      let without = shuffled.filter { $0.pipeline.name != "first" }
      let match = Routing.route(name, among: without)
      #expect(match?.version.pipeline.name == "long")
      #expect(match?.captures == ["x": "usd"])
    }
    #expect(Routing.route(FileName("other"), among: [versions[0]]) == nil)
  }

  @Test(arguments: [
    ("fx_eurusd.csv", "fx-{pair}.csv"), ("fx-eurusd.tsv", "fx-{pair}.csv"),
    ("clasify-iris.csv", "classify-{dataset}.csv"),
    ("Sales-2025.csv", "sales-????.csv"), ("FX-EURUSD.CSV", "fx-{pair}.csv"),
  ])
  func `an unmatched drop is shown the pattern it comes nearest to`(name: String, pattern: String) throws {
    let versions = try ["fx-{pair}.csv", "classify-{dataset}.csv", "sales-????.csv"].enumerated().map {
      try version("p\($0)", $1)
    }
    #expect(Routing.nearest(to: FileName(name), among: versions) == pattern)
    #expect(Routing.nearest(to: FileName(name), among: []) == nil)
  }

  @Test(arguments: [("x.bin", "*.csv"), ("notes.txt", "fx-{pair}.csv"), ("a.json", "{name}.csv"), ("a", "*.c")])
  func `a pattern that is not near is not named`(name: String, pattern: String) throws {
    #expect(Routing.nearest(to: FileName(name), among: [try version("p", pattern)]) == nil)
  }

  @Test func `a name that differs by case alone is told as that`() {
    #expect(
      Routing.nearly(FileName("A.CSV"), "{Name}.csv")
        == "the nearest pattern is `{Name}.csv`, which tells upper from lower case")
    #expect(Routing.nearly(FileName("a.cvs"), "*.csv") == "the nearest pattern is `*.csv`")
  }

  @Test(arguments: ["a.CSV", "a.cvs", "a.cs", "acsv"])
  func `a slip of the keyboard is near`(name: String) throws {
    #expect(Routing.nearest(to: FileName(name), among: [try version("p", "*.csv")]) == "*.csv")
  }
}
