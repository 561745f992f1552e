package import Core

/// A run to be recorded, and the attempt that begins with it.
package struct NewRun: Sendable, Equatable {
  /// Its number is given by the store.
  package var run: Run
  /// With it the run is `running` from the first moment; withheld where the drop turns out to be made by a run.
  package var attempt: Attempt?
  /// The file in the inbox that the drop is a copy of.
  package var source: Source?

  package enum Source: Sendable, Equatable {
    /// To be removed before the run begins.
    case leaving(FileSample)
    /// Stays where it is, and is not taken again.
    case kept
  }

  package init(_ run: Run, attempt: Attempt? = nil, source: Source? = nil) {
    self.run = run
    self.attempt = attempt
    self.source = source
  }
}
