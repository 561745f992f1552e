import Core
import Testing

@Suite struct SettlingTests {
  private let times = Settling.Times(moved: .milliseconds(200), written: .seconds(2), empty: .seconds(10))

  private func sample(_ bytes: Int = 5, modified: Int64 = 1, inode: UInt64 = 7) -> FileSample {
    FileSample(device: 1, inode: inode, bytes: bytes, links: 1, modified: modified, changed: modified)
  }

  @Test func `what was renamed here and is closed is claimed at the first look`() {
    var settling = Settling(times: times, moved: true, now: .seconds(100))
    #expect(settling.looked(sample(), .closed, now: .seconds(100)) == .claim)
  }

  @Test func `what was written waits its time and then is claimed`() {
    var settling = Settling(times: times, moved: false, now: .zero)
    #expect(settling.looked(sample(), .closed, now: .zero) == .wait(.seconds(2), .settling))
    #expect(settling.looked(sample(), .closed, now: .seconds(1)) == .wait(.seconds(1), .settling))
    #expect(settling.looked(sample(), .closed, now: .seconds(2)) == .claim)
  }

  @Test func `a change seen only by looking starts the time again, also for what was renamed`() {
    var settling = Settling(times: times, moved: true, now: .zero)
    #expect(settling.looked(sample(), .unknown, now: .zero) == .wait(.seconds(1), .settling))
    #expect(settling.looked(sample(6, modified: 2), .closed, now: .seconds(1)) == .wait(.seconds(2), .settling))
    #expect(settling.looked(sample(6, modified: 2), .closed, now: .seconds(3)) == .claim)
  }

  @Test func `an event starts the time again`() {
    var settling = Settling(times: times, moved: false, now: .zero)
    _ = settling.looked(sample(), .closed, now: .zero)
    settling.noticed(moved: false, now: .milliseconds(1900))
    #expect(settling.looked(sample(), .closed, now: .seconds(2)) == .wait(.milliseconds(1900), .settling))
    settling.noticed(moved: true, now: .milliseconds(2500))
    #expect(settling.looked(sample(), .closed, now: .milliseconds(2500)) == .claim)
  }

  @Test func `a writer is asked for less and less often, and its end starts the time`() {
    var settling = Settling(times: times, moved: true, now: .zero)
    var now = Duration.zero
    var waits: [Duration] = []
    for _ in 0..<8 {
      guard case .wait(let time, .openForWriting) = settling.looked(sample(), .openForWriting, now: now) else {
        Issue.record("claimed what is open for writing")
        return
      }
      waits.append(time)
      now += time
    }
    #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
    #expect(settling.looked(sample(), .closed, now: now) == .wait(.seconds(2), .settling))
  }

  @Test func `without a lease only a five times longer quiet will do`() {
    var settling = Settling(times: times, moved: false, now: .zero)
    #expect(settling.looked(sample(), .unknown, now: .zero) == .wait(.seconds(10), .settling))
    var moved = Settling(times: times, moved: true, now: .zero)
    #expect(moved.looked(sample(), .unknown, now: .zero) == .wait(.seconds(1), .settling))
  }

  @Test func `an empty file is waited for, unless it was renamed here`() {
    var written = Settling(times: times, moved: false, now: .zero)
    #expect(written.looked(sample(0), .closed, now: .zero) == .wait(.seconds(10), .empty))
    #expect(written.looked(sample(0), .closed, now: .seconds(10)) == .claim)
    var moved = Settling(times: times, moved: true, now: .zero)
    #expect(moved.looked(sample(0), .closed, now: .zero) == .claim)
  }

  @Test func `what may not be read is looked at again, and settles from when it may`() {
    var settling = Settling(times: times, moved: false, now: .zero)
    #expect(settling.looked(sample(), .unreadable("no"), now: .zero) == .wait(.seconds(30), .unreadable("no")))
    #expect(settling.looked(sample(), .closed, now: .seconds(30)) == .wait(.seconds(2), .settling))
  }

  @Test func `a rename changes neither content nor identity of a sample`() {
    var renamed = sample()
    renamed.changed = 99
    #expect(renamed.isSameContent(as: sample()))
    #expect(!sample(6).isSameContent(as: sample()) && !sample(inode: 8).isSameContent(as: sample()))
    #expect(!sample(modified: 2).isSameContent(as: sample()))
  }
}
