import Core
import Foundation
import Testing

@Suite struct EnvelopeTests {
  private let id = "019a9f00-0000-7000-8000-000000000001"

  private func line(_ change: (inout Envelope) -> Void = { _ in }) throws -> (text: String, json: JSON) {
    let run = try #require(RunID(id))
    var envelope = Envelope(
      event: "stage", run: Envelope.RunPart(id: run, number: 7, pipeline: "fx", version: "v"),
      drop: Envelope.DropPart(Drop(name: FileName("a/b\"é.csv"), bytes: 3, captures: ["pair": "eur"])),
      stage: Envelope.StagePart(
        name: "train", attempt: 2, granularity: .medium, sample: 0.2, seed: 42, params: ["n": 1, "x": .null]),
      inputs: [Envelope.FilePart(name: "table", path: "/w/t", stage: "features", sha256: "ab", bytes: 99)],
      out: "/w/out", home: "/w", deadline: "2026-11-20T02:50:00.000+01:00")
    change(&envelope)
    let bytes = try envelope.line()
    return (String(decoding: bytes, as: UTF8.self), try JSON(parsing: Data(bytes)))
  }

  @Test func `it is one line with sorted keys, and slashes stay slashes`() throws {
    let (text, _) = try line()
    #expect(text.hasSuffix("}\n") && text.dropLast().allSatisfy { $0 != "\n" })
    #expect(text.hasPrefix("{\"api\":1,\"context\":{},\"deadline\":") && text.contains("\"/w/out\""))
    #expect(try line().text == text)
  }

  @Test func `slot and trial are there although they are null`() throws {
    let json = try line().json
    #expect(
      json["run"] == ["id": .string(id), "number": 7, "pipeline": "fx", "version": "v", "slot": nil, "trial": nil])
    #expect(json["outcome"] == nil && json["outputs"] == nil && json["metrics"] == nil)
  }

  @Test func `the level, the sample and the seed are told, and parameters keep their nulls`() throws {
    let stage = try line().json["stage"]
    #expect(stage?["granularity"] == "medium" && stage?["sample"] == .number(0.2) && stage?["seed"] == 42)
    #expect(stage?["params"] == ["n": 1, "x": nil])
  }

  @Test func `a name that is not UTF-8 is escaped, with its bytes beside it`() throws {
    let name = FileName([0xFF, 0x61])
    let json = try line { $0.drop = Envelope.DropPart(Drop(name: name, bytes: 0)) }.json
    #expect(json["drop"]?["name"] == "\\xffa" && json["drop"]?["name_b64"] == "/2E=")
    #expect(try line().json["drop"]?["name_b64"] == nil)
  }

  @Test func `an outcome tells the exit code of a program that exited, and none of one that was ended`() throws {
    let usage = ResourceUsage(wall: 1.5, cpu: 0.5, peakRSS: 4096)
    func outcome(_ termination: Termination) throws -> JSON? {
      try line {
        $0.outcome = Envelope.OutcomePart(state: "failed", reason: "why", termination: termination, usage: usage)
      }.json["outcome"]
    }
    #expect(
      try outcome(.exited(3)) == [
        "state": "failed", "reason": "why", "exit": 3, "wall_s": 1.5, "cpu_s": 0.5, "rss_bytes": 4096,
      ])
    #expect(try outcome(.signaled(9))?["exit"] == nil)
  }
}
