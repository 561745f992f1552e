import Core
import Foundation
import Host

/// What a hook of a run was told, as the agent kept it in `runs/<run>/hooks.ndjson`.
enum RecordedEnvelope {
  /// The last one of this moment; any of its hooks will do, for what it saw is what the first of them saw.
  /// - Parameter stage: for `before-stage` and `after-stage`; without it the first stage that has one.
  static func find(_ event: String, stage: String?, of run: RunID, in workspace: Workspace) -> JSON? {
    let path = workspace.state + "/runs/\(run.text)/hooks.ndjson"
    guard let data = try? RegularFile.contents(at: path) else { return nil }
    let lines = data.split(separator: 0x0A).compactMap { try? JSON(parsing: Array($0)) }
    let moments = lines.filter { isOf(event, stage, $0) }
    let first = moments.first?["stage"]?["name"]?.string
    return moments.last { $0["stage"]?["name"]?.string == first }
  }

  private static func isOf(_ event: String, _ stage: String?, _ line: JSON) -> Bool {
    guard let kept = line["event"]?.string else { return false }
    guard let name = line["stage"]?["name"]?.string else { return kept == event }
    let side = kept.hasPrefix("before-") ? "before-" : "after-"
    if event == side + "stage" { return stage == nil || stage == name }
    return event == side + name
  }
}
