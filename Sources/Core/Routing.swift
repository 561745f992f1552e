/// Which pipeline takes a drop, by its name alone.
package enum Routing {
  /// Of several that match the higher priority wins, then the longer literal part, then the name.
  package static func route(
    _ name: FileName, among versions: [PipelineVersion]
  ) -> (version: PipelineVersion, captures: [String: String])? {
    let matching = versions.compactMap { version in
      version.pipeline.trigger.inbox?.captures(of: name).map { (version: version, captures: $0) }
    }
    return matching.min { precedes($0.version.pipeline, $1.version.pipeline) }
  }

  /// Whether a file of this name says that a drop is whole, and is none itself.
  package static func isDoneFile(_ name: FileName, among versions: [PipelineVersion]) -> Bool {
    versions.contains { version in
      version.pipeline.trigger.doneFile?.belongs(name, to: version.pipeline.trigger.inbox) ?? false
    }
  }

  /// All pipelines that would take the drop, the one that has it first: for `why`.
  package static func candidates(for name: FileName, among versions: [PipelineVersion]) -> [String] {
    ranked(versions).filter { $0.pipeline.trigger.inbox?.captures(of: name) != nil }.map(\.pipeline.name)
  }

  /// The pattern for which the fewest bytes of the name would have to change, for display.
  ///
  /// - Returns: `nil` where none is near: more would have to change than a third of what the pattern spells out
  ///   (two bytes where it spells out little, none where almost nothing); case does not count.
  package static func nearest(to name: FileName, among versions: [PipelineVersion]) -> String? {
    let patterns = ranked(versions).compactMap(\.pipeline.trigger.inbox)
    let measured = patterns.enumerated().compactMap { place, pattern -> (Int, Int, String)? in
      let distance = min(pattern.distance(to: name), pattern.distance(to: name.lowercased))
      let spelled = pattern.literalLength
      let allowed = max(0, min(max(2, spelled / 3), spelled - 2))
      return distance <= allowed ? (distance, place, pattern.text) : nil
    }
    return measured.min { ($0.0, $0.1) < ($1.0, $1.1) }?.2
  }

  /// The words on a pattern that nearly takes a name.
  package static func nearly(_ name: FileName, _ pattern: String) -> String {
    let isCase = (try? NamePattern(pattern.lowercased()))?.captures(of: name.lowercased) != nil
    return "the nearest pattern is `\(pattern)`" + (isCase ? ", which tells upper from lower case" : "")
  }

  private static func ranked(_ versions: [PipelineVersion]) -> [PipelineVersion] {
    versions.sorted { precedes($0.pipeline, $1.pipeline) }
  }

  private static func precedes(_ left: Pipeline, _ right: Pipeline) -> Bool {
    (right.trigger.priority, right.trigger.inbox?.literalLength ?? 0, left.name)
      < (left.trigger.priority, left.trigger.inbox?.literalLength ?? 0, right.name)
  }
}

extension FileName {
  /// With its ASCII letters in lower case.
  fileprivate var lowercased: FileName {
    FileName(bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 })
  }
}
