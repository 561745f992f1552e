package import Foundation

/// What ended runs left behind, to be cleared away; nothing here looks whether it may go.
package protocol Attic: Sendable {
  /// The oldest runs of which something lies there, made before `moment` and after `last`: at most `limit`.
  func belongings(in place: AtticPlace, before moment: Date, after last: RunID?, limit: Int) throws -> [RunID]

  /// Bytes of what lies there of a run; 0 where it is gone.
  func bytes(in place: AtticPlace, of run: RunID) throws -> Int

  /// Removes it; what is gone already is no error.
  func clear(_ place: AtticPlace, of run: RunID) throws

  /// Other files that are old: logs of the agent that were put aside, what killed producers left in the inbox, and
  /// above `cache` bytes what was used longest ago of `var/cache/`.
  func litter(logsBefore: Date?, producersBefore: Date, cache: Int?) throws -> [Litter]

  func clear(_ litter: Litter) throws
}

/// A place with one directory a run.
package enum AtticPlace: String, Sendable, CaseIterable {
  /// `var/runs/<run>/` whole.
  case artifacts
  /// `var/runs/<run>/log.ndjson`.
  case logs
  case done
  case failed
  case quarantine
}

/// One file that is not of any run.
package struct Litter: Sendable, Equatable {
  package enum Kind: String, Sendable, CaseIterable {
    case logs
    case inbox
    case cache
  }

  package var kind: Kind
  package var name: FileName
  package var bytes: Int

  package init(kind: Kind, name: FileName, bytes: Int) {
    self.kind = kind
    self.name = name
    self.bytes = bytes
  }
}
