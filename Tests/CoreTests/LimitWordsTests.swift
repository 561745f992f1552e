import Core
import Testing

@Suite struct LimitWordsTests {
  private func result(_ termination: Termination, cpu: Double = 0, outOfMemory: Bool = false) -> ProgramResult {
    var result = ProgramResult(
      termination: termination, ending: .itself, usage: ResourceUsage(wall: 1, cpu: cpu, peakRSS: nil), reply: [],
      replyIsCut: false)
    result.isOutOfMemory = outOfMemory
    return result
  }

  @Test func `P13: an end that a limit brought is told as that`() {
    let limits = ResourceLimits(memory: 2 << 30, cpuTime: .seconds(90))
    let time = "used more processor time than its limit of 1m30s (`limits.cpu_time`)"
    #expect(limits.words(for: result(.signaled(24)), lastLine: nil) == time)
    #expect(limits.words(for: result(.signaled(9), cpu: 91), lastLine: nil) == time)
    #expect(limits.words(for: result(.signaled(9), cpu: 3), lastLine: nil) == nil)
    #expect(
      limits.words(for: result(.signaled(9), outOfMemory: true), lastLine: nil)?.contains("out of memory") == true)
    #expect(
      limits.words(for: result(.signaled(6)), lastLine: "what():  std::bad_alloc")
        == "it got no more memory, and its limit is 2.0 GiB (`limits.memory`): what():  std::bad_alloc")
  }

  @Test func `what no limit had a part in is told otherwise`() {
    let none = ResourceLimits()
    #expect(none.words(for: result(.signaled(24)), lastLine: nil) == nil)
    #expect(none.words(for: result(.exited(1)), lastLine: "MemoryError") == nil)
    let limits = ResourceLimits(memory: 1 << 20)
    #expect(limits.words(for: result(.exited(1)), lastLine: "no such column") == nil)
    #expect(limits.words(for: result(.exited(0)), lastLine: "MemoryError, but never mind") == nil)
    var cancelled = result(.signaled(9), outOfMemory: true)
    cancelled.ending = .timeout
    #expect(limits.words(for: cancelled, lastLine: nil) == nil)
  }
}
