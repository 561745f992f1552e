import Core
import Foundation
import Host
import Store

/// What a person means by FILE or RUN.
enum Subject: Equatable {
  case run(Run)
  /// A name that is in the inbox, or was.
  case drop(FileName)
}

/// Finds out which is meant: a path by where it lies, a number or an id by the run it has, anything else by its name.
struct SubjectReading {
  let workspace: Workspace
  let reader: StateReader?

  /// Directories of `var/` that have one directory a run.
  private static let places = ["done", "failed", "quarantine", "work", "runs"]

  /// - Throws: `CommandFailure` for a path that is nowhere a drop may be, `StoreError.ambiguous`.
  func read(_ word: FileName) async throws -> Subject {
    if word.isPath { return try await read(path: word) }
    if let reference = word.text.flatMap({ RunReference($0) }), let run = try await run(reference, named: word) {
      return .run(run)
    }
    return .drop(word)
  }

  /// The run that is meant: of a drop the newest on one of its name.
  /// - Throws: `CommandFailure` where there was none.
  func run(_ word: FileName) async throws -> Run {
    switch try await read(word) {
    case .run(let run): return run
    case .drop(let name):
      if let run = try await reader?.runs(onDrop: name, limit: 1).first { return run }
      guard isInInbox(name) else {
        throw CommandFailure(
          "`\(Display.brief(name.displayed))` names no run: give a number, an id or at least its first 4 characters, "
            + "`last`, or the name of a drop that a run had")
      }
      throw CommandFailure(
        "`\(name.displayed)` lies in the inbox, and no run was ever on a drop of that name; `penstock why` tells of it")
    }
  }

  /// The run of a number; the name of a drop that only looks like the beginning of an id is a name.
  private func run(_ reference: RunReference, named word: FileName) async throws -> Run? {
    if case .prefix = reference, isInInbox(word) { return nil }
    do { return try await reader?.run(matching: reference) } catch StoreError.noRun {
      if case .prefix = reference { return nil }
      if isInInbox(word) { return nil }
      let isKnown = try await reader?.runs(onDrop: word, limit: 1).isEmpty == false
      if isKnown { return nil }
      throw StoreError.noRun(reference)
    }
  }

  private func isInInbox(_ name: FileName) -> Bool {
    guard let inbox = try? InboxDirectory(path: workspace.inbox), let sighting = try? inbox.look(at: name) else {
      return false
    }
    return sighting != .gone
  }

  private func read(path: FileName) async throws -> Subject {
    let words = path.directory.displayed
    guard let directory = path.directory.text else {
      throw CommandFailure("`\(words)` is no directory of this workspace; name the run by its number")
    }
    let candidates = directory.hasPrefix("/") ? [directory] : [directory, workspace.home + "/" + directory]
    let found = candidates.compactMap { Machine.resolved($0) }
    let inbox = Machine.resolved(workspace.inbox)
    if found.contains(where: { $0 == inbox }) { return .drop(path.lastPart) }
    for place in found + candidates {
      guard let id = runID(in: place) ?? runID(in: place + "/" + (path.lastPart.text ?? "")) else { continue }
      guard let run = try? await reader?.run(matching: .id(id)) else {
        throw CommandFailure("`\(path.displayed)` belongs to run `\(id)`, and nothing is remembered of it any more")
      }
      return .run(run)
    }
    throw CommandFailure(
      "`\(path.displayed)` is neither in `inbox/` nor below `var/` of this workspace: give a drop's name, its path, or "
        + "the number of a run")
  }

  /// The id in `…/var/done/<id>/…`.
  private func runID(in path: String) -> RunID? {
    let parts = path.split(separator: "/")
    return zip(parts, parts.dropFirst()).lazy.compactMap { place, id in
      Self.places.contains(String(place)) ? RunID(String(id)) : nil
    }.first
  }
}
