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

    var words: String { self == .passedOver ? "passed over" : rawValue }
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
    /// Seconds until the agent looks at it again.
    var due: Double?
    /// Who has it open for writing, as far as that can be seen.
    var writers: [OpenWriters.Writer] = []
    /// When its content changed last.
    var changed: Date?

    var isUnreadable: Bool { reason?.hasPrefix(Settling.Reason.unreadable("").words) == true }
    var waitsForWriter: Bool { state == .waiting && reason == Settling.Reason.openForWriting.words }
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
          pipeline: Routing.route(name, among: versions)?.version.pipeline.name, due: json["due_s"]?.double)
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

  /// Sizes and times as they are now, the names that are no drops, and what the agent has not heard of yet.
  mutating func complete(lookingAt path: String, versions: [PipelineVersion]) {
    let inbox: InboxDirectory
    do { inbox = try InboxDirectory(path: path) } catch {
      trouble = "\(error)"
      return
    }
    for index in entries.indices {
      if case .file(let sample, _) = try? inbox.look(at: entries[index].name) { entries[index].take(sample) }
    }
    let known = Set(entries.map(\.name))
    try? inbox.forEachName { name in
      guard name != FileName(".gitkeep"), !known.contains(name) else { return }
      if Routing.isDoneFile(name, among: versions) {
        entries.append(Entry(name: name, state: .passedOver, reason: "says that a drop is whole (`done_file`)"))
      } else if let refusal = CandidateName.refusal(of: name) {
        entries.append(Entry(name: name, state: .passedOver, reason: refusal))
      } else if let sighting = try? inbox.look(at: name), var entry = Self.entry(name, sighting, versions) {
        if entry.state == .ready { (entry.state, entry.reason) = (.waiting, "just arrived") }
        entries.append(entry)
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
      return Entry(name: name, state: .held, reason: SpecialDrop.reason(kind))
    case .file(let sample, let openness):
      guard let route = Routing.route(name, among: versions) else {
        var entry = Entry(name: name, state: .unmatched, nearest: Routing.nearest(to: name, among: versions))
        entry.take(sample)
        return entry
      }
      var entry = Entry(name: name, state: .ready, pipeline: route.version.pipeline.name)
      entry.take(sample)
      if openness == .openForWriting {
        (entry.state, entry.reason) = (.waiting, Settling.Reason.openForWriting.words)
      } else if case .unreadable(let why) = openness {
        (entry.state, entry.reason) = (.held, Settling.Reason.unreadable(why).words)
      }
      return entry
    }
  }
}

extension InboxView.Entry {
  fileprivate mutating func take(_ sample: FileSample) {
    bytes = sample.bytes
    changed = Date(timeIntervalSince1970: Double(sample.modified) / 1e9)
  }

  var json: JSON {
    var members = JSONName.members(of: name)
    members["state"] = .string(state.rawValue)
    members["bytes"] = bytes.map { .integer($0) } ?? .null
    members["reason"] = reason.map { .string($0) } ?? .null
    members["nearest"] = nearest.map { .string($0) } ?? .null
    members["pipeline"] = pipeline.map { .string($0) } ?? .null
    members["due_s"] = due.map { .number($0) } ?? .null
    members["changed"] = RunJSON.time(changed)
    members["writers"] = .array(
      writers.map { ["pid": .integer(Int($0.pid)), "program": .string(Display.escaped($0.program))] })
    return .object(members)
  }

  /// What it waits for, on one line.
  var words: String {
    switch state {
    case .waiting: Shown.words(reason ?? "settling") + waits
    case .ready: "for an agent: `penstock up`"
    case .held:
      reason.map { $0.hasPrefix("is ") || $0.hasPrefix("has ") ? "it \($0)" : $0 }.map { Shown.words($0) } ?? ""
    case .unmatched:
      "no pipeline takes it" + (nearest.map { "; " + Shown.words(Routing.nearly(name, $0)) } ?? "")
    case .passedOver: "no drop by its name: \(Shown.words(reason ?? ""))"
    }
  }

  /// Which writer, or how long yet.
  private var waits: String {
    if waitsForWriter {
      if writers.isEmpty { return "" }
      let names = writers.prefix(3).map { "\($0.pid) (\(Shown.words($0.program)))" }.joined(separator: ", ")
      return ", process \(names)" + (writers.count > 3 ? ", …" : "")
    }
    guard reason != "just arrived", let due, due > 0 else { return "" }
    return ", \(Shown.seconds(due)) to go"
  }

  var cell: Table.Cell {
    switch state {
    case .waiting, .ready, .passedOver: .init(state.words, .quiet)
    case .held, .unmatched: .init(state.words, .odd)
    }
  }
}
