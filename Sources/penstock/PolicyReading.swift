import Core
import Engine
import Foundation
import Host
import Store

/// What stands for one pipeline.
struct PolicyView: Sendable {
  var pipeline: Pipeline
  var standing: PolicyStanding
  /// What the stages are not any more since it was learned or pinned, in words.
  var changes: [String] = []
  /// What was decided, the newest first.
  var steps: [Policy] = []

  /// Whether the next run takes it back.
  var isStale: Bool { !changes.isEmpty && standing.current?.state == .inForce }

  /// `clean=medium: policy of trial 3 since 2026-11-20`.
  var words: String {
    guard let current = standing.current else {
      return "nothing: `auto` stages are coarse where no rule says otherwise"
    }
    let day = Timestamp.text(current.since).prefix(10)
    let levels = Policy.text(current.levels)
    switch current.state {
    case .pinned: return "\(levels), pinned by a person since \(day)"
    case .inForce: return "\(levels), by \(current.source.words) since \(day): \(current.reason)"
    case .demoted: return "coarse; \(levels) was taken back \(day): \(current.reason)"
    case .unpinned: return ""
    }
  }

  /// What a person should know.
  var warning: String? {
    guard !changes.isEmpty, let current = standing.current else { return nil }
    let what = changes.joined(separator: "; ")
    return current.state == .pinned
      ? "since it was pinned \(what); `penstock policy unpin \(pipeline.name)` lets go of it"
      : "the next run takes it back: \(what)"
  }

  var json: JSON {
    var members = standing.current.map(\.json)?.object ?? ["pipeline": .string(pipeline.name), "state": .null]
    members["in_force"] = .object(standing.levels.mapValues { .string($0.rawValue) })
    members["changes"] = .array(changes.map { .string($0) })
    return .object(members)
  }
}

/// Reads what stands for the pipelines, and whether their stages are still what it was learned on.
struct PolicyReading {
  let workspace: Workspace
  let place: Place
  let reader: StateReader?
  private let definitions: Definitions

  init(workspace: Workspace, place: Place) throws {
    try self.init(workspace: workspace, place: place, reader: place.readerIfAny(workspace))
  }

  init(workspace: Workspace, place: Place, reader: StateReader?) {
    self.workspace = workspace
    self.place = place
    self.reader = reader
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let digests = FileDigests()
    let files = IdentityFiles(
      programs: HostPrograms(home: workspace.home, path: path), digests: digests, home: workspace.home,
      bytes: { RegularFile.bytes(at: $0) })
    definitions = Definitions(files: files, digests: digests)
  }

  /// Those in force, by name: with an agent what it has loaded, else what the files say now.
  func pipelines() async throws -> [Pipeline] {
    let recorded = try await PipelinesInForce(workspace: workspace, place: place, reader: reader).versions()
    if reader != nil, try place.ask(.ping, workspace) != nil { return Self.sorted(recorded) }
    let files = place.registry(workspace).pipelines
    return Self.sorted(
      files.compactMap { file in
        file.version ?? (file.isValid ? nil : recorded.first { $0.path == file.path })
      })
  }

  private static func sorted(_ versions: [PipelineVersion]) -> [Pipeline] {
    versions.map(\.pipeline).sorted { $0.name < $1.name }
  }

  /// Of every pipeline that has something to decide or for which something was decided.
  func views() async throws -> [PolicyView] {
    let known = Set(try await reader?.policies().map(\.pipeline) ?? [])
    var views: [PolicyView] = []
    for pipeline in try await pipelines() where !pipeline.automatic.isEmpty || known.contains(pipeline.name) {
      views.append(try await view(of: pipeline))
    }
    return views
  }

  /// - Parameter known: what has changed, where the agent has said so.
  func view(of pipeline: Pipeline, changes known: [String]? = nil) async throws -> PolicyView {
    let standing = try await reader?.policy(of: pipeline.name) ?? PolicyStanding(pipeline: pipeline.name)
    var view = PolicyView(pipeline: pipeline, standing: standing)
    if let current = standing.current, current.state != .demoted {
      view.changes = known ?? current.basis.changes(to: definitions.basis(of: pipeline))
    }
    return view
  }

  func unknown(_ name: String) async throws -> CommandFailure {
    let pipelines = try await pipelines()
    if pipelines.contains(where: { $0.name == name }) {
      return CommandFailure(
        "pipeline `\(Display.brief(name))` has no stage that is `auto`: there is nothing to decide")
    }
    let hint = Nearest.hint(for: name, among: pipelines.map(\.name), called: "pipelines")
    return CommandFailure("no pipeline `\(Display.brief(name))`" + (hint.map { "; \($0)" } ?? ""))
  }
}
