/// How far the clocks of a zone are ahead of UTC, at any moment.
///
/// All moments are whole seconds since 1970 UTC.
package struct ZoneRules: Sendable, Equatable {
  /// A time without a change of the clocks.
  package struct Span: Sendable, Equatable {
    /// Its first second.
    package var start: Int
    /// Seconds east of Greenwich.
    package var offset: Int

    package init(start: Int, offset: Int) {
      self.start = start
      self.offset = offset
    }
  }

  /// In order; the first begins at `Int.min`, and no two neighbours have the same offset.
  package let spans: [Span]

  /// - Parameters:
  ///   - first: the offset before the first change, seconds.
  ///   - changes: in the order of their starts; those that change nothing or go back are left out.
  package init(first: Int, changes: [Span] = []) {
    var spans = [Span(start: .min, offset: first)]
    for change in changes {
      let last = spans[spans.count - 1]
      if change.offset != last.offset, change.start > last.start { spans.append(change) }
    }
    self.spans = spans
  }

  package static let utc = ZoneRules(first: 0)

  package func offset(at moment: Int) -> Int { spans[index(at: moment)].offset }

  /// The span a moment is in.
  package func index(at moment: Int) -> Int {
    var (low, high) = (0, spans.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if spans[middle].start <= moment { low = middle } else { high = middle }
    }
    return low
  }

  /// Where the span ends; `Int.max` of the last.
  package func end(of index: Int) -> Int { index + 1 < spans.count ? spans[index + 1].start : .max }

  /// The changes of the clocks on the local day of a moment, from midnight to midnight.
  package func changes(onDayOf moment: Int) -> [Change] {
    let offset = offset(at: moment)
    let midnight = (moment + offset).floored(by: 86400) * 86400
    return spans.indices.dropFirst().compactMap { index in
      let span = spans[index]
      guard abs(span.start - moment) <= 2 * 86400 else { return nil }
      let before = spans[index - 1].offset
      let local = span.start + before
      guard local >= midnight, local < midnight + 86400 else { return nil }
      return Change(moment: span.start, before: before, after: span.offset)
    }
  }

  /// A moment at which the clocks are set.
  package struct Change: Sendable, Equatable {
    package var moment: Int
    /// Offsets in seconds.
    package var before: Int
    package var after: Int
  }
}
