import Core
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
        let now = monotonic()
        state.withLock { state in
          if names.isEmpty {
            state.sweep?.end(&state.candidates, now: now)
            state.sweep = nil
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
    let now = monotonic()
    switch sighting {
    case .gone:
      state.withLock { $0.candidates.forget(name) }
      return nil
    case .directory:
      hold(name, "is a directory; drop files, not directories")
      return nil
    case .special(let kind, let sample):
      return ReadyDrop(name: name, sample: sample, refusal: "is a \(kind), not a file with content of its own")
    case .file(let sample, let openness):
      guard let route = book.route(name) else {
        leaveUnmatched(name)
        return nil
      }
      let isReady = state.withLock { state in
        !state.candidates.isKept(name, sample) && state.candidates.looked(at: name, sample, openness, now: now)
      }
      return isReady ? ReadyDrop(name: name, sample: sample, route: route) : nil
    }
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
