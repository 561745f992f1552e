/// Which pipeline takes a drop, from its name alone.
package struct Routing: Sendable {
  private let entries: [Entry]

  private struct Entry: Sendable {
    var pipeline: String
    var pattern: NamePattern
    var priority: Int
  }

  /// A pipeline that takes the drop.
  package struct Match: Sendable, Equatable {
    package var pipeline: String
    /// What the pattern caught.
    package var captures: [String: String]

    package init(pipeline: String, captures: [String: String]) {
      self.pipeline = pipeline
      self.captures = captures
    }
  }

  /// The pattern a name comes nearest to.
  package struct Near: Sendable, Equatable {
    package var pipeline: String
    package var pattern: String
    /// Bytes that would have to change.
    package var distance: Int

    package init(pipeline: String, pattern: String, distance: Int) {
      self.pipeline = pipeline
      self.pattern = pattern
      self.distance = distance
    }
  }

  /// Pipelines without `trigger.inbox` take no drops.
  package init(_ pipelines: some Sequence<Pipeline>) {
    entries = pipelines.compactMap { pipeline in
      pipeline.trigger.inbox.map {
        Entry(pipeline: pipeline.name, pattern: $0, priority: pipeline.trigger.priority)
      }
    }.sorted { left, right in
      // the higher priority, then the longer literal part, then the name
      (right.priority, right.pattern.literalLength, left.pipeline)
        < (left.priority, left.pattern.literalLength, right.pipeline)
    }
  }

  /// The pipeline that has the drop, `nil` where no pattern matches.
  package func route(_ name: FileName) -> Match? {
    for entry in entries {
      if let captures = entry.pattern.captures(of: name) {
        return Match(pipeline: entry.pipeline, captures: captures)
      }
    }
    return nil
  }

  /// All that would take it, the one that has it first: for `why`.
  package func candidates(_ name: FileName) -> [String] {
    entries.filter { $0.pattern.captures(of: name) != nil }.map(\.pipeline)
  }

  /// The pattern with the fewest bytes to change, `nil` where there is no pattern at all.
  package func nearest(_ name: FileName) -> Near? {
    entries.map { entry in
      Near(pipeline: entry.pipeline, pattern: entry.pattern.text, distance: entry.pattern.distance(to: name))
    }.enumerated().min { left, right in
      (left.element.distance, left.offset) < (right.element.distance, right.offset)
    }?.element
  }
}
