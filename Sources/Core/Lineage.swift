/// Runs whose programs put drops into the inbox themselves, and so lead to other runs.
package enum Lineage {
  /// Runs that led to a run: with more than these it is taken for a loop.
  package static let deepest = 8
}
