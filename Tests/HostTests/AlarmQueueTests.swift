@testable import Host
import Testing

@Suite struct AlarmQueueTests {
  @Test func `alarms come in the order of their time, then of their setting`() {
    var queue = AlarmQueue()
    let log = Log()
    let wakes = [
      queue.add(id: 1, due: 30) { log.add("30") },
      queue.add(id: 2, due: 10) { log.add("10 a") },
      queue.add(id: 3, due: 10) { log.add("10 b") },
      queue.add(id: 4, due: 20) { log.add("20") },
    ]
    #expect(wakes == [true, true, false, false])
    queue.remove(id: 4)
    #expect(queue.next == 10)
    for job in queue.takeDue(now: 29) { job() }
    #expect(log.entries == ["10 a", "10 b"])
    #expect(queue.next == 30)
    #expect(queue.takeDue(now: 30).count == 1)
    #expect(queue.next == nil)
  }
}
