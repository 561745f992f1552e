import Core
import Foundation
import Store

/// Where the items of a flow come from, read a page at a time: what is recorded of an item already is not done again.
struct ItemFeed: Sendable {
  enum Source: Sendable, Equatable {
    /// A file of JSON Lines.
    case file(path: String, shown: String)
    /// What another stage of the run made of its items.
    case stage(String)
  }

  /// Items read ahead of the queue.
  private static let page = 500

  let bench: Workbench
  let run: Run
  let source: Source
  /// Whether anything of the stages is recorded from an earlier attempt.
  var hasHistory = false

  /// Reads all items once, before any is given away.
  /// - Returns: how many there are that `sample` takes.
  /// - Throws: `BadItem`, `HostError`.
  func survey(_ sample: ItemSample) async throws -> Int {
    var pages = try pages()
    var count = 0
    while let page = try await pages.next(Self.page) {
      count += page.count { sample.takes($0.id) }
      await Task.yield()
    }
    return count
  }

  /// Gives every item to the stage it has not come through yet.
  func give(to line: FlowLine) async throws {
    var pages = try pages()
    var end = 0
    while let page = try await pages.next(Self.page), let first = page.first, let last = page.last {
      end = last.index + 1
      var known: [String: [Int: ItemOutcome]] = [:]
      if hasHistory {
        known = try await bench.store.reader.outcomes(
          of: run.id, stages: line.stages.map(\.name), from: first.index, count: end - first.index)
      }
      var ready: [(Item, Int)] = []
      for item in page { if let passenger = advance(item, through: line.stages, &known) { ready.append(passenger) } }
      try await bench.store.discard(known.values.flatMap { $0.values }, of: run.id)
      for (item, place) in ready {
        if line.isClosing { return }
        guard await line.offer(item, at: place) else { return }
      }
    }
    if hasHistory { try await bench.store.discardItems(of: run.id, stages: line.stages.map(\.name), from: end) }
  }

  /// How far an item has come already: what stands of it is counted and taken out of `known`.
  private func advance(
    _ item: Item, through stages: [FlowStage], _ known: inout [String: [Int: ItemOutcome]]
  ) -> (Item, Int)? {
    var item = item
    for stage in stages where !stage.isBypassed {
      guard stage.sample.takes(item.id) else { return nil }
      guard let outcome = known[stage.name]?[item.index], outcome.digest == item.digest, let next = outcome.next else {
        return (item, stage.place)
      }
      known[stage.name]?[item.index] = nil
      stage.tally.keep(outcome)
      item = next
    }
    return nil
  }

  private func pages() throws -> ItemPages {
    switch source {
    case .file(let path, let shown): .file(try bench.spool.lines(at: path), ItemLine(of: shown))
    case .stage(let stage): .rows(bench.store.reader, run.id, stage, after: -1)
    }
  }
}

/// Items in order, some at a time.
private enum ItemPages {
  case file(any LineReading, ItemLine)
  case rows(StateReader, RunID, String, after: Int)

  /// `nil` at the end.
  mutating func next(_ most: Int) async throws -> [Item]? {
    switch self {
    case .file(let lines, var reading):
      var items: [Item] = []
      while items.count < most, let line = try lines.next() {
        if let item = try reading.read(line) { items.append(item) }
      }
      self = .file(lines, reading)
      return items.isEmpty ? nil : items
    case .rows(let reader, let run, let stage, let after):
      let found = try await reader.items(of: run, stage: stage, after: after, failed: false, limit: most)
      guard let last = found.last else { return nil }
      self = .rows(reader, run, stage, after: last.index)
      return found.compactMap(\.next)
    }
  }
}
