import Core
import Synchronization
import Testing

@testable import Engine

@Suite struct InboxSweepTests {
  private func candidates() -> Candidates {
    Candidates(times: Settling.Times(moved: .zero, written: .zero, empty: .zero))
  }

  private func names(_ range: Range<Int>) -> [FileName] { range.map { FileName("\($0).csv") } }

  @Test func `I29 names come in portions, and those that are no drops are passed over`() throws {
    var candidates = candidates()
    var sweep = InboxSweep(of: Listed(names(0..<3000) + [FileName(".hidden"), FileName("a.part")]), candidates)
    var portions: [Int] = []
    while true {
      let portion = try sweep.portion()
      if portion.isEmpty { break }
      portions.append(portion.count)
      sweep.take(portion, into: &candidates, now: .zero) { $0 == FileName("7.csv") }
    }
    sweep.end(&candidates, now: .zero)
    #expect(portions == [1024, 1024, 954])
    // one is being copied
    #expect(candidates.count == 2999)
  }

  @Test func `what was held and is not met is forgotten, what came to be held meanwhile is not`() throws {
    var candidates = candidates()
    for name in ["gone", "there"] {
      candidates.notice(FileName(name), moved: nil, now: .zero)
      _ = candidates.hold(FileName(name), "why")
    }
    candidates.notice(FileName("lost"), moved: nil, now: .zero)
    _ = candidates.leaveUnmatched(FileName("lost"))
    var sweep = InboxSweep(of: Listed([]), candidates)
    sweep.take([FileName("there"), FileName("new")], into: &candidates, now: .zero) { _ in false }
    _ = candidates.hold(FileName("new"), "why")
    sweep.end(&candidates, now: .zero)
    #expect(candidates.knows(FileName("there")) && candidates.knows(FileName("new")))
    #expect(!candidates.knows(FileName("gone")) && !candidates.knows(FileName("lost")))
    // what holds them may be over: they are due again
    #expect(Set(candidates.takeDue(now: .zero, limit: 9)) == [FileName("there"), FileName("new")])
  }

  @Test func `what settles already keeps its place`() throws {
    var candidates = Candidates(times: .init(moved: .zero, written: .seconds(2), empty: .zero))
    candidates.notice(FileName("a"), moved: false, now: .zero)
    _ = candidates.takeDue(now: .zero, limit: 1)
    let sample = FileSample(device: 1, inode: 1, bytes: 1, links: 1, modified: 1, changed: 1)
    _ = candidates.looked(at: FileName("a"), sample, .closed, now: .zero)
    var sweep = InboxSweep(of: Listed([]), candidates)
    sweep.take([FileName("a")], into: &candidates, now: .seconds(1)) { _ in false }
    sweep.end(&candidates, now: .seconds(1))
    #expect(candidates.takeDue(now: .seconds(1), limit: 9).isEmpty && candidates.nextDue == .seconds(2))
  }
}

/// Names from a list.
private final class Listed: NameStream {
  private let left: Mutex<[FileName]>

  init(_ names: [FileName]) { left = Mutex(names) }

  func next(_ limit: Int) -> [FileName] {
    left.withLock { left in
      defer { left.removeFirst(min(limit, left.count)) }
      return Array(left.prefix(limit))
    }
  }
}

@Suite struct IntakePauseTests {
  @Test func `I23 a shortage is news once, whatever its figures, and its end too`() {
    var pause = IntakePause()
    let first = pause.begin(.space(free: 1, reserve: 9), now: .zero)
    let again = pause.begin(.space(free: 2, reserve: 9), now: .seconds(5))
    let other = pause.begin(.readOnly("var/"), now: .seconds(10))
    #expect(first.isNews && !again.isNews && other.isNews)
    let (isOver, wasOver) = (pause.end(), pause.end())
    #expect(isOver && !wasOver && pause.shortage == nil)
  }

  @Test func `I24 while something is short nothing is tried for 5 s, but where it is in doubt`() {
    var pause = IntakePause()
    #expect(pause.left(now: .zero) == .zero)
    _ = pause.begin(.files(free: 0), now: .seconds(1))
    #expect(pause.left(now: .seconds(2)) == .seconds(4) && pause.left(now: .seconds(7)) == .zero)
    _ = pause.begin(.files(free: 0), now: .seconds(8))
    pause.doubt()
    #expect(pause.left(now: .seconds(8)) == .zero && pause.shortage != nil)
  }
}
