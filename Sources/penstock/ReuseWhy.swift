import Core
import Store

/// Why the stages of a run were worked, or were taken from what was worked before.
struct ReuseWhy {
  /// Earlier attempts with known parts, the newest first, by stage.
  private var earlier: [String: [(number: Int, parts: JSON)]] = [:]
  private let options: RunOptions
  private let stages: [Stage]
  /// Differences that are told of one attempt.
  private static let most = 3

  /// - Parameter only: the one stage that is asked for.
  static func read(_ whole: WholeRun, _ version: PipelineVersion?, only: String?, _ reader: StateReader) async throws
    -> ReuseWhy
  {
    var why = ReuseWhy(options: whole.run.options, stages: version?.pipeline.stages ?? [])
    for name in whole.stageNames where only == nil || name == only {
      guard whole.reuse[name]?.values.contains(where: { $0.parts != nil }) == true else { continue }
      why.earlier[name] = try await reader.earlierParts(
        of: name, in: whole.run.pipeline, before: whole.run.number
      ).compactMap { earlier in
        earlier.reuse.parts.flatMap { try? JSON(parsing: $0.utf8) }.map { (earlier.number, $0) }
      }
    }
    return why
  }

  private init(options: RunOptions, stages: [Stage]) {
    self.options = options
    self.stages = stages
  }

  /// What became of the cache at one attempt; `nil` where there was nothing to be taken or worked.
  func words(for attempt: Attempt, _ reuse: Reuse?) -> String? {
    switch attempt.state {
    case .cached: return cached(attempt, reuse)
    // never got as far as its program
    case .skipped, .denied, .running: return nil
    case .ok, .failed, .timeout, .interrupted, .cancelled: return ran(attempt.stage, reuse)
    }
  }

  private func cached(_ attempt: Attempt, _ reuse: Reuse?) -> String {
    let saved = reuse?.saved.map { "; it took \(Shown.seconds($0.wall)) there" } ?? ""
    let from = attempt.reason ?? "from an earlier run"
    let words = reuse?.key == nil ? from : from.replacing("from ", with: "same as ", maxReplacements: 1)
    return "cached: \(words)\(saved)"
  }

  private func ran(_ stage: String, _ reuse: Reuse?) -> String? {
    guard let known = stages.first(where: { $0.name == stage }) else { return nil }
    if !known.pure { return "ran: not pure" }
    if known.each != nil { return "ran: what `each` did is remembered item by item" }
    if let note = reuse?.note { return "ran: \(note)" }
    if !options.useCache { return "ran: --no-cache" }
    if options.from == stage { return "ran: asked for with --from" }
    guard let parts = reuse?.parts.flatMap({ try? JSON(parsing: $0.utf8) }) else { return nil }
    guard let nearest = nearest(to: parts, of: stage) else { return "ran: nothing like it is remembered" }
    let run = "run \(nearest.number)"
    let differences = KeyDifference.words(now: parts, before: nearest.parts, run: run)
    if differences.isEmpty { return "ran: what \(run) left is not in the cache: it failed there, or was cleared away" }
    let more = differences.count - Self.most
    return "ran: " + differences.prefix(Self.most).joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
  }

  /// Of those that differ least the newest.
  private func nearest(to parts: JSON, of stage: String) -> (number: Int, parts: JSON)? {
    (earlier[stage] ?? []).min { KeyDifference.count(parts, $0.parts) < KeyDifference.count(parts, $1.parts) }
  }
}
