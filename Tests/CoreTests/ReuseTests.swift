import Foundation
import Testing

@testable import Core

/// What makes two attempts the same, and the words on what makes them differ.
@Suite struct ReuseTests {
  private func key(
    command: [String] = ["./train.sh"], version: String? = "1.0.0", files: [String: String?] = ["train.sh": "aa"],
    params: [String: JSON] = ["model": "boosted"], context: [String: JSON] = [:],
    inputs: [CacheKey.Input] = [ReuseTests.input()], seed: Int = 42, level: Granularity = .coarse,
    sample: Double? = nil
  ) -> CacheKey {
    CacheKey(
      uses: "own/train", version: version, command: command, files: files, params: params, context: context,
      inputs: inputs, seed: seed, level: level, sample: sample)
  }

  private static func input(
    _ name: String = "table", stage: String? = "clean", file: String = "t.csv", sha256: String = "ab"
  ) -> CacheKey.Input { CacheKey.Input(name: name, stage: stage, file: file, sha256: sha256) }

  private func words(_ now: CacheKey) -> [String] {
    KeyDifference.words(now: now.parts, before: key().parts, run: "run 3")
  }

  @Test func `every part of a key changes its text, and equal keys have the same`() throws {
    let others = [
      key(command: ["./other.sh"]), key(version: nil), key(files: ["train.sh": "bb"]), key(files: ["train.sh": nil]),
      key(files: [:]), key(params: ["model": "ridge"]), key(params: ["model": 1]), key(context: ["a": 1]),
      key(inputs: []), key(inputs: [Self.input("x")]), key(inputs: [Self.input(stage: nil)]),
      key(inputs: [Self.input(file: "t.parquet")]), key(inputs: [Self.input(sha256: "cd")]),
      key(inputs: [Self.input(), Self.input("second")]), key(inputs: [Self.input("second"), Self.input()]),
      key(seed: 1),
      key(level: .fine), key(level: .medium, sample: 0.2), key(level: .medium, sample: 0.3),
    ]
    let texts = try ([key()] + others).map { try $0.parts.line() }
    #expect(Set(texts).count == texts.count)
    #expect(try key().parts.line() == texts[0])
    for other in others { #expect(!words(other).isEmpty, "\(other)") }
    #expect(words(key()).isEmpty)
  }

  @Test func `the words say which part it is, what it is and what it was`() {
    #expect(words(key(params: ["model": "ridge"])) == ["`params.model` differs from run 3: \"ridge\", was \"boosted\""])
    #expect(words(key(params: [:])) == ["`params.model` is gone since run 3: was \"boosted\""])
    #expect(
      words(key(params: ["model": "boosted", "depth": 3])) == ["`params.depth` is new since run 3: 3"])
    #expect(words(key(files: ["train.sh": "bb"])) == ["the file `train.sh` is not as in run 3"])
    #expect(words(key(files: ["train.sh": nil])) == ["the file `train.sh` is not there, as it was in run 3"])
    #expect(words(key(level: .fine)) == ["the level differs from run 3: \"fine\", was \"coarse\""])
    #expect(words(key(sample: 0.2)) == ["the sample differs from run 3: 0.2, was none"])
    #expect(
      words(key(inputs: [Self.input(sha256: "cd")])) == ["the input `table` of `clean` has other content than in run 3"]
    )
    #expect(
      words(key(inputs: [Self.input(), Self.input("x", stage: nil)])) == [
        "its inputs are not those of run 3: `table` of `clean`, `x`; it had `table` of `clean`"
      ])
    #expect(words(key(version: "1.1.0")) == ["the version of the stage differs from run 3: \"1.1.0\", was \"1.0.0\""])
    #expect(words(key(version: "1.1.0", seed: 1)).count == 2)
  }

  @Test func `a value that looks like a secret is not shown, and a long one is cut`() {
    let secret = words(key(params: ["model": "boosted", "api_token": "hush"]))
    #expect(secret == ["`params.api_token` differs from run 3"])
    let long = words(key(params: ["model": .string(String(repeating: "x", count: 900))]))
    #expect(long.allSatisfy { $0.count < 200 } && long.count == 1)
  }

  @Test func `what depends on a stage that is worked is worked too, and the rest is taken`() {
    func stage(_ name: String, _ needs: String...) -> Stage { Stage(name: name, program: ["x"], needs: needs) }
    let stages = [stage("a"), stage("b", "a"), stage("side", "a"), stage("c", "b"), stage("d", "c", "side")]
    let all: Set = ["a", "b", "side", "c", "d"]
    #expect(ReusePlan(stages: stages, settled: all, from: "c").taken == ["a", "b", "side"])
    #expect(ReusePlan(stages: stages, settled: all, from: "a").taken == [])
    #expect(ReusePlan(stages: stages, settled: all, from: nil).taken == all)
    #expect(ReusePlan(stages: stages, settled: ["a", "side"], from: nil).taken == ["a", "side"])
    // one that ended well on what is worked anew is worked anew
    #expect(ReusePlan(stages: stages, settled: ["a", "c", "side"], from: nil).taken == ["a", "side"])
    #expect(ReusePlan(stages: stages, settled: ["a", "b", "c"], from: "side").taken == ["a", "b", "c"])
  }

  @Test func `options recorded before reruns were there are read`() throws {
    let old = Data("{\"granularity\":{\"train\":\"fine\"},\"set\":{},\"useCache\":true}".utf8)
    let options = try JSONDecoder().decode(RunOptions.self, from: old)
    #expect(options == RunOptions(granularity: ["train": .fine]) && !options.takesFromEarlier)
    let now = RunOptions(from: "train", failedOnly: true)
    #expect(try JSONDecoder().decode(RunOptions.self, from: JSONEncoder().encode(now)) == now)
  }
}
