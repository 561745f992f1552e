import Testing

@testable import Store

@Suite struct CommitPatienceTests {
  private let begin = ContinuousClock.now

  /// Changes by the millisecond they come at, each the first of its transaction.
  private func ends(_ moments: [Int], _ urgency: GroupCommit.Urgency = .soon(.ends)) -> [Duration?] {
    var patience = CommitPatience()
    return moments.map { moment in
      let now = begin + .milliseconds(moment)
      patience.take(urgency, isFirst: true, at: now)
      return patience.end.map { $0 - now }
    }
  }

  @Test func `a change that comes alone is not put off, one that comes close upon another is`() {
    #expect(ends([0, 50, 57, 64, 72, 200]) == [nil, nil, .milliseconds(4), .milliseconds(4), nil, nil])
  }

  @Test func `what is urgent is never put off, nor what it joins`() {
    #expect(ends([0, 1, 2], .now) == [nil, nil, nil])
    var patience = CommitPatience()
    patience.take(.soon(.ends), isFirst: true, at: begin)
    patience.take(.soon(.ends), isFirst: true, at: begin + .milliseconds(1))
    #expect(patience.end == begin + .milliseconds(5))
    patience.take(.now, isFirst: false, at: begin + .milliseconds(2))
    #expect(patience.end == nil)
    patience.take(.soon(.ends), isFirst: false, at: begin + .milliseconds(3))
    #expect(patience.end == nil)
  }

  @Test func `company is of its own kind`() {
    var patience = CommitPatience()
    patience.take(.soon(.items), isFirst: true, at: begin)
    patience.take(.soon(.ends), isFirst: true, at: begin + .milliseconds(1))
    #expect(patience.end == nil)
    patience.take(.soon(.items), isFirst: true, at: begin + .milliseconds(2))
    #expect(patience.end == begin + .milliseconds(6))
  }

  @Test func `later changes of a transaction do not put it off further`() {
    var patience = CommitPatience()
    for moment in 0..<3 { patience.take(.soon(.ends), isFirst: moment < 2, at: begin + .milliseconds(moment)) }
    #expect(patience.end == begin + .milliseconds(5))
  }
}
