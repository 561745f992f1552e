import Core
import Testing

@testable import Engine

@Suite struct CandidatesTests {
  private let a = FileName("a.csv")

  private func candidates() -> Names {
    Names(times: Settling.Times(moved: .milliseconds(200), written: .seconds(2), empty: .seconds(10)))
  }

  private func sample(_ bytes: Int = 1) -> FileSample {
    FileSample(device: 1, inode: 1, bytes: bytes, links: 1, modified: 1, changed: 1)
  }

  @Test func `a name is due when it is noticed, then when its time is over`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    #expect(names.takeDue(now: .zero, limit: 9) == [a])
    #expect(!names.looked(at: a, sample(), .closed, now: .zero))
    #expect(names.nextDue == .seconds(2))
    #expect(names.takeDue(now: .seconds(1), limit: 9).isEmpty)
    #expect(names.takeDue(now: .seconds(2), limit: 9) == [a])
    #expect(names.looked(at: a, sample(), .closed, now: .seconds(2)))
  }

  @Test func `an event makes a waiting name due at once, and its old look void`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    _ = names.takeDue(now: .zero, limit: 9)
    _ = names.looked(at: a, sample(), .closed, now: .zero)
    names.notice(a, moved: false, now: .seconds(1))
    #expect(names.takeDue(now: .seconds(1), limit: 9) == [a])
    #expect(!names.looked(at: a, sample(), .closed, now: .seconds(1)))
    #expect(names.takeDue(now: .seconds(2), limit: 9).isEmpty)
  }

  @Test func `no more are taken than asked for, and none is lost`() {
    let names = candidates()
    for n in 0..<1000 { names.notice(FileName("\(n)"), moved: true, now: .zero) }
    var seen: Set<FileName> = []
    while true {
      let due = names.takeDue(now: .zero, limit: 256)
      if due.isEmpty { break }
      #expect(due.count <= 256)
      seen.formUnion(due)
      for name in due { names.forget(name) }
    }
    #expect(seen.count == 1000 && names.count == 0)
  }

  @Test func `what is held or unmatched is news once, however often it is looked at again`() {
    let names = candidates()
    names.notice(a, moved: nil, now: .zero)
    #expect(names.hold(a, "why"))
    names.reconsiderHeld(now: .zero)
    #expect(!names.hold(a, "why"))
    names.reconsiderHeld(now: .zero)
    #expect(names.hold(a, "another why"))
    names.notice(a, moved: nil, now: .zero)
    #expect(names.leaveUnmatched(a))
    names.reconsiderUnmatched(now: .zero)
    #expect(!names.leaveUnmatched(a))
    #expect(names.unmatched == [a])
    names.notice(a, moved: false, now: .zero)
    #expect(names.leaveUnmatched(a))
  }

  @Test func `what could not be looked at is due again`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    #expect(names.takeDue(now: .zero, limit: 9) == [a] && names.takeDue(now: .zero, limit: 9).isEmpty)
    for name in [a, FileName("unknown")] { names.postpone(name, until: .seconds(1)) }
    #expect(names.takeDue(now: .seconds(1), limit: 9) == [a])
  }

  @Test func `what waits for its writer or cannot be read keeps nobody waiting`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    #expect(names.isSettling)
    _ = names.looked(at: a, sample(), .openForWriting, now: .zero)
    #expect(!names.isSettling && names.waiting().map(\.reason) == ["waiting for its writer"])
    _ = names.looked(at: a, sample(), .unreadable("no"), now: .zero)
    #expect(!names.isSettling)
  }

  @Test func `a drop waits for its done file, and is due when that comes`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    _ = names.takeDue(now: .zero, limit: 9)
    names.await(FileName("a.csv.ok"), for: a)
    #expect(names.knows(a) && !names.isSettling)
    #expect(names.waiting().map(\.reason) == ["waiting for its done file `a.csv.ok`"])
    names.announced(by: FileName("b.csv.ok"), now: .seconds(1))
    #expect(names.takeDue(now: .seconds(1), limit: 9).isEmpty)
    names.announced(by: FileName("a.csv.ok"), now: .seconds(1))
    #expect(names.takeDue(now: .seconds(1), limit: 9) == [a])
    // it says that the drop is whole, so the quiet time is over
    #expect(names.looked(at: a, sample(), .closed, isAnnounced: true, now: .seconds(1)))
    names.await(FileName("a.csv.ok"), for: a)
    names.reconsiderHeld(now: .seconds(2))
    #expect(names.takeDue(now: .seconds(2), limit: 9) == [a])
  }

  @Test func `an announced drop still waits for whoever has it open`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    #expect(!names.looked(at: a, sample(), .openForWriting, isAnnounced: true, now: .zero))
    #expect(!names.looked(at: a, sample(), .unknown, isAnnounced: true, now: .zero))
    #expect(names.looked(at: a, sample(), .unknown, isAnnounced: true, now: .seconds(20)))
  }

  @Test func `I02 a writer that takes too long is told of once, and again when it comes again`() {
    let names = candidates()
    names.notice(a, moved: false, now: .zero)
    _ = names.looked(at: a, sample(), .openForWriting, now: .zero)
    #expect(!names.isNewlyStuck(a, .seconds(10), now: .seconds(9)))
    #expect(names.isNewlyStuck(a, .seconds(10), now: .seconds(10)))
    #expect(!names.isNewlyStuck(a, .seconds(10), now: .seconds(11)))
    _ = names.looked(at: a, sample(), .closed, now: .seconds(12))
    _ = names.looked(at: a, sample(2), .openForWriting, now: .seconds(13))
    #expect(!names.isNewlyStuck(a, .seconds(10), now: .seconds(14)))
    #expect(names.isNewlyStuck(a, .seconds(10), now: .seconds(23)))
  }

  @Test func `NFC and NFD are two names`() {
    let names = candidates()
    for text in ["caf\u{E9}", "cafe\u{301}"] { names.notice(FileName(text), moved: true, now: .zero) }
    #expect(names.takeDue(now: .zero, limit: 9).count == 2)
  }
}

/// Candidates that expectations may change.
private final class Names {
  private var all: Candidates

  init(times: Settling.Times) { all = Candidates(times: times) }

  var count: Int { all.count }
  var nextDue: Duration? { all.nextDue }
  var isSettling: Bool { all.isSettling }
  var held: [FileName: String] { all.held }
  var unmatched: Set<FileName> { all.unmatched }

  func notice(_ name: FileName, moved: Bool?, now: Duration) { all.notice(name, moved: moved, now: now) }
  func takeDue(now: Duration, limit: Int) -> [FileName] { all.takeDue(now: now, limit: limit) }
  func forget(_ name: FileName) { all.forget(name) }
  func hold(_ name: FileName, _ reason: String) -> Bool { all.hold(name, reason) }
  func leaveUnmatched(_ name: FileName) -> Bool { all.leaveUnmatched(name) }
  func reconsiderHeld(now: Duration) { all.reconsiderHeld(now: now) }
  func reconsiderUnmatched(now: Duration) { all.reconsiderUnmatched(now: now) }
  func postpone(_ name: FileName, until due: Duration) { all.postpone(name, until: due) }
  func knows(_ name: FileName) -> Bool { all.knows(name) }
  func waiting() -> [(name: FileName, reason: String)] { all.waiting() }

  func await(_ doneFile: FileName, for name: FileName) { all.await(doneFile, for: name) }
  func announced(by doneFile: FileName, now: Duration) { all.announced(by: doneFile, now: now) }
  func isNewlyStuck(_ name: FileName, _ limit: Duration, now: Duration) -> Bool {
    all.isNewlyStuck(name, limit, now: now)
  }

  func looked(
    at name: FileName, _ sample: FileSample, _ openness: Openness, isAnnounced: Bool = false, now: Duration
  ) -> Bool {
    all.looked(at: name, sample, openness, isAnnounced: isAnnounced, now: now)
  }
}
