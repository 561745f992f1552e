import Core
import Foundation
import Store
import Synchronization

/// What lies in the inbox, and what it waits for.
extension Intake {
  /// Looks at the names there are, as many as may wait at once.
  func sweep() throws {
    while let sweep = try beginSweep() {
      do {
        let names = try sweep.portion()
        try giveBack(names)
        noteAgeing(names)
        let now = monotonic()
        state.withLock { state in
          if names.isEmpty {
            state.sweep?.end(&state.candidates, now: now)
            state.sweep = nil
            state.ageing = state.ageing.filter { (try? inbox.look(at: $0.key)) != .gone }
          } else {
            state.sweep?.take(names, into: &state.candidates, now: now, passingOver: copier.isCopying)
          }
        }
      } catch {
        state.withLock { ($0.sweep, $0.wantsScan) = (nil, true) }
        throw error
      }
    }
  }

  /// Gives what took the name of a source that was being removed its name back, where that could not be done yet.
  private func giveBack(_ names: [FileName]) throws {
    for name in names where CandidateName.refusal(of: name) != nil {
      guard let id = bench.spool.asideOwner(name), !copier.isRemovingSource(of: id) else { continue }
      _ = try bench.spool.giveBack(name)
    }
  }

  /// Remembers transfers that have lain there for a day: whoever began them may be gone.
  private func noteAgeing(_ names: [FileName]) {
    let now = bench.now()
    for name in names where CandidateName.isTransient(name) {
      guard case .file(let sample, _) = try? inbox.look(at: name) else { continue }
      let age = now.timeIntervalSince1970 - Double(sample.modified) / 1_000_000_000
      guard age > Self.ageing else { continue }
      let hours = Int(age / 3600)
      let words =
        "has been on its way for \(hours < 48 ? "\(hours) hours" : "\(hours / 24) days"): "
        + "\(CandidateName.refusal(of: name) ?? ""); rename it where it is whole, or remove it"
      let isNew = state.withLock { $0.ageing.updateValue(words, forKey: name) == nil }
      if isNew { bench.say(.dropHeld(name, reason: words)) }
    }
  }

  /// Seconds.
  private static let ageing = 86_400.0

  /// The sweep to go on with; `nil` where none is wanted, or enough wait already.
  private func beginSweep() throws -> InboxSweep? {
    let (under, wants) = state.withLock { state in
      let isFull = state.candidates.count >= InboxSweep.window
      return (isFull ? nil : state.sweep, !isFull && state.sweep == nil && state.wantsScan)
    }
    guard wants else { return under }
    let names = try inbox.names()
    return state.withLock { state in
      state.wantsScan = false
      state.sweep = InboxSweep(of: names, state.candidates)
      return state.sweep
    }
  }

  /// - Parameter refusal: what the inbox said where it could not be looked at; the rest is then looked at later.
  func look(at names: [FileName], _ refusal: inout HostError?) -> [ReadyDrop] {
    var ready: [ReadyDrop] = []
    for (index, name) in names.enumerated() {
      do {
        if let drop = judge(name, try inbox.look(at: name)) { ready.append(drop) }
      } catch let error as HostError where !isOfInbox(error) {
        hold(name, error.description)
      } catch {
        let now = monotonic()
        state.withLock { state in for name in names[index...] { state.candidates.postpone(name, until: now) } }
        refusal = error as? HostError ?? HostError("\(error)")
        break
      }
    }
    return ready
  }

  /// Whether every other name would meet the same.
  private func isOfInbox(_ error: HostError) -> Bool { error.isShortage || (try? inbox.isReadOnly()) == nil }

  private func judge(_ name: FileName, _ sighting: Sighting) -> ReadyDrop? {
    if book.isDoneFile(name), sighting != .directory {
      state.withLock { $0.candidates.forget(name) }
      return nil
    }
    switch sighting {
    case .gone:
      state.withLock { $0.candidates.forget(name) }
      return nil
    case .directory:
      hold(name, "is a directory; drop files, not directories")
      return nil
    case .special(let kind, let sample):
      return ReadyDrop(name: name, sample: sample, refusal: SpecialDrop.reason(kind))
    case .file(let sample, let openness):
      guard let route = book.route(name) else {
        leaveUnmatched(name)
        return nil
      }
      return judge(ReadyDrop(name: name, sample: sample, route: route), openness)
    }
  }

  private func judge(_ found: ReadyDrop, _ openness: Openness) -> ReadyDrop? {
    var drop = found
    let (name, sample, now) = (drop.name, drop.sample, monotonic())
    tellOfSkew(sample)
    if let doneFile = drop.route?.version.pipeline.trigger.doneFile?.name(for: name) {
      if !isAnnounced(by: doneFile) {
        state.withLock { $0.candidates.await(doneFile, for: name) }
        // one that came between the look and this is noticed by nobody else
        if !isAnnounced(by: doneFile) { return nil }
        state.withLock { $0.candidates.notice(name, moved: nil, now: now) }
        return nil
      }
      drop.doneFile = doneFile
    }
    // a browser's placeholder, whose content comes under another name
    let isFilled = sample.bytes == 0 && CandidateName.fillers(of: name).contains { (try? inbox.look(at: $0)) != .gone }
    let seen = isFilled ? .openForWriting : openness
    let (isReady, isStuck) = state.withLock { state in
      let isReady =
        !state.candidates.isKept(name, sample)
        && state.candidates.looked(at: name, sample, seen, isAnnounced: drop.doneFile != nil, now: now)
      return (isReady, state.candidates.isNewlyStuck(name, bench.settings.stuckWriter, now: now))
    }
    if isStuck {
      let limit = Quantity.spelled(bench.settings.stuckWriter)
      bench.say(.dropHeld(name, reason: "its writer has had it open for more than \(limit)"))
    }
    guard isReady else { return nil }
    if sample.bytes == 0, bench.settings.empty == .quarantine { drop.refusal = "is empty" }
    return drop
  }

  /// A directory of that name cannot be taken along, and would speak for every later drop.
  private func isAnnounced(by doneFile: FileName) -> Bool {
    switch try? inbox.look(at: doneFile) {
    case .file, .special: true
    case .gone, .directory, nil: false
    }
  }

  private func tellOfSkew(_ sample: FileSample) {
    guard let words = ClockSkew.words(changed: sample.changed, now: bench.now()) else { return }
    let isNew = state.withLock { state in
      defer { state.isSkewTold = true }
      return !state.isSkewTold
    }
    if isNew { bench.say(.watched(.troubled(words))) }
  }

  func hold(_ name: FileName, _ reason: String) {
    let isNew = state.withLock { $0.candidates.hold(name, reason) }
    if isNew { bench.say(.dropHeld(name, reason: reason)) }
  }

  private func leaveUnmatched(_ name: FileName) {
    let isNew = state.withLock { state in
      // asked again in the lock: pipelines that changed since are then either seen here or see the name there
      if book.route(name) != nil {
        state.candidates.notice(name, moved: false, now: monotonic())
        return false
      }
      return state.candidates.leaveUnmatched(name)
    }
    if isNew {
      bench.say(.dropUnmatched(name, nearest: Routing.nearest(to: name, among: book.versions)))
    }
  }
}
