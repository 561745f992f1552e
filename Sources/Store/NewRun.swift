package import Core

/// A run to be recorded, and the attempt that begins with it.
package struct NewRun: Sendable, Equatable {
  /// Its number is given by the store.
  package var run: Run
  /// With it the run is `running` from the first moment.
  package var attempt: Attempt?

  package init(_ run: Run, attempt: Attempt? = nil) {
    self.run = run
    self.attempt = attempt
  }
}
