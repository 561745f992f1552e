/// Which pipeline takes a drop, by its name alone.
package enum Routing {
  /// Of several that match the higher priority wins, then the longer literal part, then the name.
  package static func route(
    _ name: FileName, among versions: [PipelineVersion]
  ) -> (version: PipelineVersion, captures: [String: String])? {
    let matching = versions.compactMap { version in
      version.pipeline.trigger.inbox?.captures(of: name).map { (version: version, captures: $0) }
    }
    return matching.max { left, right in
      rank(left.version.pipeline) < rank(right.version.pipeline)
        || (rank(left.version.pipeline) == rank(right.version.pipeline)
          && left.version.pipeline.name > right.version.pipeline.name)
    }
  }

  /// The pattern a name comes nearest to, for display.
  package static func nearest(to name: FileName, among versions: [PipelineVersion]) -> String? {
    let patterns = versions.compactMap { $0.pipeline.trigger.inbox?.text }
    return Nearest.name(to: name.displayed, among: patterns) ?? (patterns.count == 1 ? patterns[0] : nil)
  }

  private static func rank(_ pipeline: Pipeline) -> (Int, Int) {
    (pipeline.trigger.priority, pipeline.trigger.inbox?.literalLength ?? 0)
  }
}
