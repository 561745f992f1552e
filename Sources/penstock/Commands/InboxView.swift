import Core
import Foundation
import Host
import Store

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
    /// A run took it, and it stays where it is (`source: keep`).
    case kept
    /// A name that is no drop.
    case passedOver = "passed_over"

    var words: String { self == .passedOver ? "passed over" : rawValue }
  }

  struct Entry: Sendable {
    var name: FileName
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
    /// What was seen of it last.
    var sample: FileSample?

    var bytes: Int? { sample?.bytes }
    /// When its content changed last.
    var changed: Date? { sample.map { Date(timeIntervalSince1970: Double($0.modified) / 1e9) } }
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
          name: name, state: state, reason: json["reason"]?.string,
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
      if case .file(let sample, _) = try? inbox.look(at: entries[index].name) { entries[index].sample = sample }
    }
    let known = Set(entries.map(\.name))
    var names: [FileName] = []
    try? inbox.forEachName { names.append($0) }
    for name in names.sorted() where name != FileName(".gitkeep") && !known.contains(name) {
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
        entry.sample = sample
        return entry
      }
      var entry = Entry(name: name, state: .ready, pipeline: route.version.pipeline.name)
      entry.sample = sample
      if openness == .openForWriting {
        (entry.state, entry.reason) = (.waiting, Settling.Reason.openForWriting.words)
      } else if case .unreadable(let why) = openness {
        (entry.state, entry.reason) = (.held, Settling.Reason.unreadable(why).words)
      }
      return entry
    }
  }
}

extension InboxView {
  /// Tells those that were taken, and stay where they are, from those that wait for it.
  mutating func markKept(by reader: StateReader) async throws {
    let waiting = entries.filter { $0.state == .waiting || $0.state == .ready }
    let drops = waiting.compactMap { entry in entry.sample.map { (name: entry.name, sample: $0) } }
    if drops.isEmpty { return }
    let kept = try await reader.kept(among: drops)
    for index in entries.indices {
      guard let run = kept[entries[index].name] else { continue }
      entries[index].state = .kept
      entries[index].reason =
        (run.map { "run \($0) took it" } ?? "a run took it that is forgotten by now")
        + "; it stays here (`source: keep`)"
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
    case .kept: Shown.words(reason ?? "")
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
    case .waiting, .ready, .kept, .passedOver: .init(state.words, .quiet)
    case .held, .unmatched: .init(state.words, .odd)
    }
  }
}
