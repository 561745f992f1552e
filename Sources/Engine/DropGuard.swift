import Core
import Store

/// Notices a program that changed, replaced or removed the drop it was given, so that no other bytes are filed as done.
///
/// Costs two fstat(2) where nobody was at the drop; its bytes are read again only where somebody was.
struct DropGuard: Sendable {
  private let bench: Workbench
  private let run: Run
  /// What it reads: the drop, or one that an earlier run filed as done.
  private let input: Envelope.FilePart
  private var seen: DropState?
  private var seenInput: FileSample?
  private var hasComplained = false

  /// - Parameter isFresh: no program has had the drop yet; otherwise its bytes are read again at the first look.
  init(_ bench: Workbench, _ run: Run, input: Envelope.FilePart, isFresh: Bool) {
    self.bench = bench
    self.run = run
    self.input = input
    guard isFresh else { return }
    seen = run.drop.flatMap { bench.spool.state(of: $0.name, of: run.id) }
    seenInput = bench.spool.sample(at: input.path)
  }

  /// What became of the drop, in words, once; `nil` where its bytes are those that arrived.
  mutating func complaint() throws -> String? {
    guard !hasComplained, let expected = input.sha256 else { return nil }
    let complaint = try run.drop.map { try look(at: $0, expected) } ?? lookAtInput(expected)
    hasComplained = complaint != nil
    return complaint
  }

  private mutating func look(at drop: Drop, _ expected: String) throws -> String? {
    let place = "`var/work/\(run.id)`"
    guard var now = bench.spool.state(of: drop.name, of: run.id) else {
      return "the drop was taken out of \(place)"
    }
    if now.directory != seen?.directory {
      let others = try bench.spool.clear(besides: drop.name, of: run.id)
      if !others.isEmpty { bench.say(.dropCleared(others), run) }
      now = bench.spool.state(of: drop.name, of: run.id) ?? now
    }
    if now.file != seen?.file {
      // a link that was put in its place is not followed
      let found = try? bench.spool.digest(of: drop.name, of: run.id)
      guard found == expected else { return changed("the drop in \(place)", expected, found) }
    }
    seen = now
    return nil
  }

  private mutating func lookAtInput(_ expected: String) throws -> String? {
    let now = bench.spool.sample(at: input.path)
    if now == seenInput, now != nil { return nil }
    let found = try? bench.spool.digest(at: input.path)
    guard found == expected else { return changed("`\(Display.escaped(input.path))`", expected, found) }
    seenInput = now
    return nil
  }

  private func changed(_ what: String, _ expected: String, _ found: String?) -> String {
    "\(what) was changed: it came with sha256 \(expected.prefix(12))…, and has \(found.map { "\($0.prefix(12))…" } ?? "none")"
  }
}
