import Core
import Foundation

/// An envelope that hooks are tried on.
struct TrialEnvelope {
  enum Source: String {
    /// Made up.
    case sample
    /// As a hook of that run got it.
    case recorded
    /// Made anew of what is recorded of the run.
    case rebuilt
  }

  var envelope: JSON
  var source: Source
  /// Names of variables that the settings and the pipeline pass on.
  var passed: [String]

  var stageName: String? { envelope["stage"]?["name"]?.string }

  /// The envelope as the next hook gets it.
  func told(_ event: String, params: JSON, context: JSON, level: Granularity?) -> JSON {
    var members = envelope.object ?? [:]
    members["event"] = .string(event)
    members["context"] = context
    if case .object(var stage)? = members["stage"] {
      stage["params"] = params
      if let level { stage["granularity"] = .string(level.rawValue) }
      members["stage"] = .object(stage)
    }
    return .object(members)
  }

  /// What the contract promises, and a word that this is a test.
  func environment(of told: JSON, from own: [String: String]) -> [String: String] {
    var environment = own.filter { (["PATH", "LANG", "TZ", "HOME"] + passed).contains($0.key) }
    environment["PATH"] = own["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    environment["PENSTOCK_API"] = "1"
    environment["PENSTOCK_TEST"] = "1"
    environment["PENSTOCK_HOME"] = told["home"]?.string
    environment["PENSTOCK_EVENT"] = told["event"]?.string
    environment["PENSTOCK_RUN"] = told["run"]?["id"]?.string
    environment["PENSTOCK_PIPELINE"] = told["run"]?["pipeline"]?.string
    environment["PENSTOCK_OUT"] = told["out"]?.string
    if let stage = told["stage"] {
      environment["PENSTOCK_STAGE"] = stage["name"]?.string
      environment["PENSTOCK_GRANULARITY"] = stage["granularity"]?.string
      environment["PENSTOCK_ATTEMPT"] = stage["attempt"].flatMap { try? $0.line() }
      environment["PENSTOCK_SAMPLE"] = stage["sample"].flatMap { try? $0.line() }
      environment["PENSTOCK_SEED"] = stage["seed"].flatMap { try? $0.line() }
    }
    let key = [environment["PENSTOCK_RUN"], environment["PENSTOCK_STAGE"], environment["PENSTOCK_EVENT"], "test"]
    environment["PENSTOCK_IDEMPOTENCY_KEY"] = key.compactMap { $0 }.joined(separator: "/")
    return environment
  }
}
