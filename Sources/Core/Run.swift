package import Foundation

/// One pipeline on one drop, on one slot, or by hand.
package struct Run: Sendable, Equatable {
  package var id: RunID
  /// The short number people type.
  package var number: Int
  /// The name of the pipeline; empty for a drop that was quarantined before any pipeline had it.
  package var pipeline: String
  /// The digest of the pipeline version this run keeps to its end.
  package var version: String?
  package var state: RunState
  package var trigger: RunTrigger
  package var drop: Drop?
  /// The drop of an earlier run that it reads, where it has none of its own; not part of the record.
  package var reads: Drop?
  package var options: RunOptions
  package var created: Date
  package var started: Date?
  package var ended: Date?
  /// Why it ended as it did, in words; `nil` while all is well.
  package var reason: String?
  /// The stage that failed or denied, where one did.
  package var failedStage: String?
  /// Whether the drop lies in done, failed or quarantine already.
  package var filed: Bool
  /// A waiting run goes on at this moment.
  package var resumes: Date?
  /// The run this one repeats.
  package var rerunOf: RunID?
  /// The first done run of the same pipeline on the same content.
  package var duplicateOf: RunID?
  /// The run one of whose programs put the drop into the inbox.
  package var parent: RunID?
  /// When a person said that they have seen how it went wrong.
  package var acknowledged: Date?
  /// The slot it runs for.
  package var slot: Date?

  package init(
    id: RunID, number: Int = 0, pipeline: String, version: String?, state: RunState = .queued,
    trigger: RunTrigger, drop: Drop? = nil, options: RunOptions = RunOptions(), created: Date,
    started: Date? = nil, ended: Date? = nil, reason: String? = nil, failedStage: String? = nil,
    filed: Bool = false, resumes: Date? = nil, rerunOf: RunID? = nil,
    duplicateOf: RunID? = nil, parent: RunID? = nil,
    acknowledged: Date? = nil, slot: Date? = nil
  ) {
    self.id = id
    self.number = number
    self.pipeline = pipeline
    self.version = version
    self.state = state
    self.trigger = trigger
    self.drop = drop
    self.options = options
    self.created = created
    self.started = started
    self.ended = ended
    self.reason = reason
    self.failedStage = failedStage
    self.filed = filed
    self.resumes = resumes
    self.rerunOf = rerunOf
    self.duplicateOf = duplicateOf
    self.parent = parent
    self.acknowledged = acknowledged
    self.slot = slot
  }
}

extension Run {
  /// The drop that its programs are told of.
  package var told: Drop? { drop ?? reads }

  /// Whether it waits for a person, whatever the time.
  package var isHeld: Bool { state == .waiting && resumes == nil }
}

package enum RunState: String, Sendable, Codable, CaseIterable {
  case queued
  case running
  case waiting
  case done
  case failed
  case cancelled
  case quarantined

  package var isTerminal: Bool {
    switch self {
    case .queued, .running, .waiting: false
    case .done, .failed, .cancelled, .quarantined: true
    }
  }
}

/// What began a run.
package enum RunTrigger: String, Sendable, Codable {
  case drop
  case config
  case slot
  case manual
}

/// A file that arrived, as it was when it was claimed.
package struct Drop: Sendable, Equatable, Codable {
  package var name: FileName
  package var bytes: Int
  /// Lower-case hex; computed after the claim and before the first stage.
  package var sha256: String?
  /// Parts of the name the pipeline's pattern captured.
  package var captures: [String: String]
  /// Its mtime when it was claimed, nanoseconds since 1970.
  package var modified: Int64?
  /// When it came to lie in the inbox under this name: its ctime there.
  package var arrived: Date?

  package init(
    name: FileName, bytes: Int, sha256: String? = nil, captures: [String: String] = [:], modified: Int64? = nil,
    arrived: Date? = nil
  ) {
    self.name = name
    self.bytes = bytes
    self.sha256 = sha256
    self.captures = captures
    self.modified = modified
    self.arrived = arrived
  }
}

/// What a person asked for when starting a run by hand.
package struct RunOptions: Sendable, Equatable, Codable {
  /// Level by stage name.
  package var granularity: [String: Granularity]
  /// Values for the pipeline's `vars`, as typed.
  package var set: [String: String]
  /// Outcomes that are remembered may be taken; without it every stage is worked, and remembered anew.
  package var useCache: Bool
  /// Of a run that repeats another: the first stage that is worked; what does not depend on it is taken from that run.
  package var from: String?
  /// Of a run that repeats another: only what did not end well there is worked, of a stage with `each` only the items.
  package var failedOnly: Bool

  package init(
    granularity: [String: Granularity] = [:], set: [String: String] = [:], useCache: Bool = true,
    from: String? = nil, failedOnly: Bool = false
  ) {
    self.granularity = granularity
    self.set = set
    self.useCache = useCache
    self.from = from
    self.failedOnly = failedOnly
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    granularity = try container.decode([String: Granularity].self, forKey: .granularity)
    set = try container.decode([String: String].self, forKey: .set)
    useCache = try container.decode(Bool.self, forKey: .useCache)
    // runs that were recorded before these were there
    from = try container.decodeIfPresent(String.self, forKey: .from)
    failedOnly = try container.decodeIfPresent(Bool.self, forKey: .failedOnly) ?? false
  }

  /// Whether stages are taken from the run it repeats.
  package var takesFromEarlier: Bool { from != nil || failedOnly }

  /// Why what is taken from that run is taken, in words.
  package var askedWith: String { "asked for with \(from == nil ? "--failed-only" : "--from")" }
}
