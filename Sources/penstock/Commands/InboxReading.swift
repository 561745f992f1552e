import Core
import Foundation
import Host
import Store

/// Everything that is known of the inbox: by the agent, by a look, and by /proc.
struct InboxReading {
  let workspace: Workspace
  let place: Place
  let reader: StateReader?

  /// What was read.
  struct Result {
    var inbox: InboxView
    /// Why nothing is claimed just now.
    var paused: String?
    var hasAgent: Bool
    var versions: [PipelineVersion]
    /// Pipeline files that are invalid: what they say takes no drops.
    var invalid: [InvalidPipeline] = []
  }

  /// - Parameter only: the one name that is asked for, where it is one.
  func read(only name: FileName? = nil) async throws -> Result {
    let versions = try await PipelinesInForce(workspace: workspace, place: place, reader: reader).versions()
    let live = try place.ask(.live, workspace)
    var inbox =
      live.map { InboxView(live: $0, versions: versions) }
      ?? InboxView(lookingAt: workspace.inbox, versions: versions)
    if live != nil { inbox.complete(lookingAt: workspace.inbox, versions: versions) }
    if let reader, place.settings(workspace).settings.source == .keep { try await inbox.markKept(by: reader) }
    inbox.nameWriters(in: workspace.inbox, only: name)
    return Result(
      inbox: inbox, paused: live?["watch"]?["paused"]?.string, hasAgent: live != nil, versions: versions,
      invalid: try await invalid(isLive: live != nil))
  }

  /// By what the agent has seen of the files, else by what they say now.
  private func invalid(isLive: Bool) async throws -> [InvalidPipeline] {
    let recorded = try await reader?.configs() ?? []
    let old = Set(recorded.filter { $0.activeDigest != nil }.map(\.path))
    let paths =
      isLive
      ? recorded.filter { $0.state == .invalid }.map(\.path)
      : place.registry(workspace).pipelines.filter { !$0.isValid }.map(\.path)
    return paths.map { InvalidPipeline(path: $0, hasOldVersion: old.contains($0)) }
  }
}

/// A pipeline file with errors: the likeliest reason why nothing takes a drop.
struct InvalidPipeline: Equatable {
  var path: String
  /// An earlier version of it stays in force.
  var hasOldVersion: Bool

  var words: String {
    "`\(Shown.words(path))` is invalid and "
      + (hasOldVersion ? "an older version of it in force" : "not in force") + ": `penstock check`"
  }
}

extension InboxView {
  /// More than this many are not asked about.
  private static let mostAsked = 200

  /// Who still writes what waits for its writer.
  mutating func nameWriters(in path: String, only name: FileName?) {
    guard let inbox = try? InboxDirectory(path: path) else { return }
    var samples: [Int: FileSample] = [:]
    for index in entries.indices where entries[index].waitsForWriter && samples.count < Self.mostAsked {
      if let name, entries[index].name != name { continue }
      if case .file(let sample, _) = try? inbox.look(at: entries[index].name) { samples[index] = sample }
    }
    let writers = OpenWriters.of(Array(samples.values))
    for (index, sample) in samples { entries[index].writers = writers[sample] ?? [] }
  }
}
