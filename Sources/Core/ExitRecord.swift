package import Foundation

/// How a program ended, as its keeper wrote it down for an agent that was not there to hear it.
///
/// It is not synced: it outlives the agent, not the host. One of another boot tells nothing and is not written by
/// a keeper that could still be alive.
package struct ExitRecord: Sendable, Equatable {
  package var ending: ProgramResult.Ending
  /// How it ended; a program that never ran is told by its failure, whose words need the path.
  package var termination: Result<Termination, LaunchFailure>
  package var usage: ResourceUsage
  package var ended: Date
  /// /proc/sys/kernel/random/boot_id.
  package var boot: String

  package init(
    ending: ProgramResult.Ending, termination: Result<Termination, LaunchFailure>, usage: ResourceUsage,
    ended: Date, boot: String
  ) {
    self.ending = ending
    self.termination = termination
    self.usage = usage
    self.ended = ended
    self.boot = boot
  }

  /// - Throws: `DecodingError` where it is cut short or of another version.
  package init(parsing data: Data) throws { self = try JSONDecoder().decode(ExitRecord.self, from: data) }

  /// How `executable`, started in `directory`, ended.
  package func termination(executable: String, directory: String) -> Termination {
    switch termination {
    case .success(let termination): termination
    case .failure(let failure): .unstarted(failure.words(executable: executable, directory: directory))
    }
  }
}

extension ExitRecord: Codable {
  private enum CodingKeys: String, CodingKey {
    case api
    case boot
    case cpu = "cpu_s"
    case ended = "ended_ms"
    case ending
    case exit
    case signal
    case step
    case code = "errno"
    case peakRSS = "rss_bytes"
    case wall = "wall_s"
  }

  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    let api = try members.decode(Int.self, forKey: .api)
    guard api == 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: .api, in: members, debugDescription: "an exit record of version \(api), expected 1")
    }
    boot = try members.decode(String.self, forKey: .boot)
    ended = Date(timeIntervalSince1970: try members.decode(Double.self, forKey: .ended) / 1000)
    ending = try members.decode(ProgramResult.Ending.self, forKey: .ending)
    let peakRSS = try members.decode(Int.self, forKey: .peakRSS)
    usage = ResourceUsage(
      wall: try members.decode(Double.self, forKey: .wall),
      cpu: try members.decode(Double.self, forKey: .cpu),
      peakRSS: peakRSS > 0 ? peakRSS : nil)
    if let code = try members.decodeIfPresent(Int32.self, forKey: .exit) {
      termination = .success(.exited(code))
    } else if let signal = try members.decodeIfPresent(Int32.self, forKey: .signal) {
      termination = .success(.signaled(signal))
    } else {
      let step = LaunchFailure.Step(rawValue: try members.decode(Int.self, forKey: .step)) ?? .unknown
      termination = .failure(LaunchFailure(step: step, code: try members.decode(Int32.self, forKey: .code)))
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(1, forKey: .api)
    try members.encode(boot, forKey: .boot)
    try members.encode((ended.timeIntervalSince1970 * 1000).rounded(), forKey: .ended)
    try members.encode(ending, forKey: .ending)
    try members.encode(usage.peakRSS ?? 0, forKey: .peakRSS)
    try members.encode(usage.wall, forKey: .wall)
    try members.encode(usage.cpu, forKey: .cpu)
    switch termination {
    case .success(.exited(let code)): try members.encode(code, forKey: .exit)
    case .success(.signaled(let signal)): try members.encode(signal, forKey: .signal)
    case .success(.unstarted): try members.encode(LaunchFailure.Step.unknown.rawValue, forKey: .step)
    case .failure(let failure):
      try members.encode(failure.step.rawValue, forKey: .step)
      try members.encode(failure.code, forKey: .code)
    }
  }
}
