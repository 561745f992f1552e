import Core
import Foundation
import Host

/// Every name in the inbox, and what it waits for.
struct InboxView: Sendable {
  enum State: String, Sendable {
    /// On its way to a claim: settling, or its writer is not done.
    case waiting
    /// Nothing speaks against a claim but that no agent runs.
    case ready
    /// Will not be claimed until a person does something.
    case held
    case unmatched
    /// A name that is no drop.
    case passedOver = "passed_over"
  }

  struct Entry: Sendable {
    var name: FileName
    var bytes: Int?
    var state: State
    /// Why it is there.
    var reason: String?
    /// The pattern that would nearly take it.
    var nearest: String?
    /// The pipeline that will take it.
    var pipeline: String?
  }

  var entries: [Entry] = []
  /// Why the inbox cannot be read, in words.
  var trouble: String?

  func entries(_ state: State) -> [Entry] { entries.filter { $0.state == state } }
}

extension InboxView {
  /// What the agent says of it.
  init(live: JSON, versions: [PipelineVersion]) {
    func entries(_ key: String, _ state: State) -> [Entry] {
      (live[key]?.array ?? []).map { json in
        let name = JSONName.name(in: json)
        return Entry(
          name: name, bytes: nil, state: state, reason: json["reason"]?.string,
          nearest: json["nearest"]?.string,
          pipeline: Routing.route(name, among: versions)?.version.pipeline.name)
      }
    }
    self.entries = entries("waiting", .waiting) + entries("held", .held) + entries("unmatched", .unmatched)
  }

  /// What a look at the directory says, where no agent works.
  init(lookingAt path: String, versions: [PipelineVersion]) {
    do {
      let inbox = try InboxDirectory(path: path)
      var names: [FileName] = []
      try inbox.forEachName { names.append($0) }
      entries = try names.sorted().compactMap { name in
        if name == FileName(".gitkeep") { return nil }
        return Self.entry(name, try inbox.look(at: name), versions)
      }
    } catch { trouble = "\(error)" }
  }

  /// The sizes as they are now, where the entry does not know, and the names that are no drops.
  mutating func complete(lookingAt path: String, versions: [PipelineVersion]) {
    guard let inbox = try? InboxDirectory(path: path) else { return }
    for index in entries.indices where entries[index].bytes == nil {
      if case .file(let sample, _) = try? inbox.look(at: entries[index].name) {
        entries[index].bytes = sample.bytes
      }
    }
    try? inbox.forEachName { name in
      if name == FileName(".gitkeep") || entries.contains(where: { $0.name == name }) { return }
      if Routing.isDoneFile(name, among: versions) {
        entries.append(Entry(name: name, state: .passedOver, reason: "says that a drop is whole (`done_file`)"))
      } else if let refusal = CandidateName.refusal(of: name) {
        entries.append(Entry(name: name, state: .passedOver, reason: refusal))
      }
    }
  }

  /// The same judgement as that of the agent, from one look.
  private static func entry(_ name: FileName, _ sighting: Sighting, _ versions: [PipelineVersion]) -> Entry? {
    if let refusal = CandidateName.refusal(of: name) {
      return Entry(name: name, state: .passedOver, reason: refusal)
    }
    if Routing.isDoneFile(name, among: versions) {
      return Entry(name: name, state: .passedOver, reason: "says that a drop is whole (`done_file`)")
    }
    switch sighting {
    case .gone: return nil
    case .directory:
      return Entry(name: name, state: .held, reason: "is a directory; drop files, not directories")
    case .special(let kind, _):
      return Entry(name: name, state: .held, reason: "is a \(kind), not a file with content of its own")
    case .file(let sample, let openness):
      guard let route = Routing.route(name, among: versions) else {
        return Entry(
          name: name, bytes: sample.bytes, state: .unmatched,
          nearest: Routing.nearest(to: name, among: versions))
      }
      var entry = Entry(name: name, bytes: sample.bytes, state: .ready, pipeline: route.version.pipeline.name)
      if openness == .openForWriting {
        (entry.state, entry.reason) = (.waiting, "waiting for its writer")
      }
      return entry
    }
  }
}

extension InboxView.Entry {
  var json: JSON {
    var members = JSONName.members(of: name)
    members["state"] = .string(state.rawValue)
    members["bytes"] = bytes.map { .integer($0) } ?? .null
    members["reason"] = reason.map { .string($0) } ?? .null
    members["nearest"] = nearest.map { .string($0) } ?? .null
    members["pipeline"] = pipeline.map { .string($0) } ?? .null
    return .object(members)
  }

  /// What it waits for, on one line.
  var words: String {
    switch state {
    case .waiting: Shown.words(reason ?? "settling")
    case .ready: "for an agent: `penstock up`"
    case .held: Shown.words(reason ?? "")
    case .unmatched:
      "no pipeline takes it"
        + (nearest.map { "; the nearest pattern is `\(Shown.words($0))`" }
          ?? "; there is no pipeline with an inbox pattern")
    case .passedOver: "no drop by its name: \(Shown.words(reason ?? ""))"
    }
  }

  var cell: Table.Cell {
    switch state {
    case .waiting, .ready: .init(state.rawValue, .quiet)
    case .held, .unmatched: .init(state.rawValue, .odd)
    case .passedOver: .init("passed over", .quiet)
    }
  }
}
