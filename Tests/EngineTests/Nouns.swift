import Core
import Foundation

/// Nouns of the tests.
enum Nouns {
  static let noon = Date(timeIntervalSince1970: 1_763_640_000)
  static let boot = "boot"

  static func id(_ n: UInt64 = 1) -> RunID {
    var generator = Fixed(value: 1)
    return RunID(now: noon + Double(n), using: &generator)
  }

  static func run(_ n: UInt64 = 1) -> Run {
    Run(
      id: id(n), number: Int(n), pipeline: "fx", version: "v", trigger: .drop,
      drop: Drop(name: FileName("a.csv"), bytes: 1), created: noon)
  }

  static func attempt(_ stage: String, _ n: Int, _ state: AttemptState, exit: Int32? = nil) -> Attempt {
    Attempt(
      run: id(), stage: stage, n: n, state: state, granularity: GranularityOpinion(.fixed, .coarse, reason: ""),
      seed: 1, started: noon, ended: noon, termination: exit.map { .exited($0) }, boot: boot)
  }

  static func result(
    _ termination: Termination = .exited(0), _ ending: ProgramResult.Ending = .itself, reply: String = "",
    isCut: Bool = false
  ) -> ProgramResult {
    ProgramResult(
      termination: termination, ending: ending, usage: ResourceUsage(wall: 1, cpu: 1, peakRSS: nil),
      reply: Array(reply.utf8), replyIsCut: isCut)
  }

  static func file(_ name: String, stage: String? = nil) -> Envelope.FilePart {
    Envelope.FilePart(name: name, path: "/x/\(name)", stage: stage, sha256: nil, bytes: 1)
  }
}

/// Gives one number for ever.
struct Fixed: RandomNumberGenerator {
  let value: UInt64
  func next() -> UInt64 { value }
}
