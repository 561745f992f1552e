import Core

/// The environment of stages and hooks: this, and nothing else (contract 1).
enum ProgramEnvironment {
  private static let inherited = ["PATH", "LANG", "TZ", "HOME"]

  struct Moment {
    var run: Run
    var stage: String?
    var event: String
    var attempt: Int?
    var granularity: Granularity?
    var sample: Double?
    var seed: Int
    var out: String
  }

  /// - Parameters:
  ///   - names: variables that the settings or the pipeline pass on by name.
  ///   - agent: the agent's own environment.
  static func make(_ moment: Moment, names: [String], agent: [String: String], home: String) -> [String: String] {
    var environment = common(names: names, agent: agent, home: home)
    let key = [moment.run.id.text, moment.stage, moment.event == "stage" ? nil : moment.event]
      .compactMap { $0 }.joined(separator: "/")
    environment["PENSTOCK_RUN"] = moment.run.id.text
    environment["PENSTOCK_PIPELINE"] = moment.run.pipeline
    environment["PENSTOCK_STAGE"] = moment.stage
    environment["PENSTOCK_EVENT"] = moment.event
    environment["PENSTOCK_ATTEMPT"] = moment.attempt.map { "\($0)" }
    environment["PENSTOCK_GRANULARITY"] = moment.granularity?.rawValue
    environment["PENSTOCK_SAMPLE"] = moment.sample.map { "\($0)" }
    environment["PENSTOCK_SEED"] = "\(moment.seed)"
    environment["PENSTOCK_OUT"] = moment.out
    environment["PENSTOCK_IDEMPOTENCY_KEY"] = key
    environment["TRACEPARENT"] = traceparent(run: moment.run.id, span: key + "#\(moment.attempt ?? 0)")
    return environment
  }

  /// Of a worker: what is the same in every call.
  static func staying(names: [String], agent: [String: String], home: String) -> [String: String] {
    var environment = common(names: names, agent: agent, home: home)
    environment["PENSTOCK_WORKER"] = "1"
    return environment
  }

  private static func common(names: [String], agent: [String: String], home: String) -> [String: String] {
    var environment = [String: String](minimumCapacity: 32)
    for name in inherited + names { environment[name] = agent[name] }
    environment["PATH"] = agent["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    environment["PENSTOCK_API"] = "1"
    environment["PENSTOCK_HOME"] = home
    return environment
  }

  /// W3C Trace Context: the run is the trace, the call is the span.
  private static func traceparent(run: RunID, span: String) -> String {
    let trace = String(decoding: run.text.utf8.filter { $0 != UInt8(ascii: "-") }, as: UTF8.self)
    // an id of all zeros would be invalid
    let hash = FNV1a.hash(span.utf8) | 1
    let digits = String(hash, radix: 16)
    return "00-\(trace)-\(String(repeating: "0", count: 16 - digits.count))\(digits)-01"
  }
}
