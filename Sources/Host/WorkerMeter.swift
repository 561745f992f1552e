/// Shares the CPU time of one worker among its calls.
///
/// While a call is alone in flight it gets all of it; of what is used while several are, each gets an equal part, so
/// that the parts add up to the whole. What a worker uses while it has nothing to do is nobody's.
struct WorkerMeter {
  /// What one call would have got that was in flight from the start on, seconds: of two moments the difference counts.
  private(set) var share: Double = 0
  private var total: Double = 0

  /// - Parameters:
  ///   - total: seconds since the worker began.
  ///   - inFlight: how many calls it had in flight since the last time.
  mutating func advance(to total: Double, inFlight: Int) {
    guard total > self.total else { return }
    if inFlight > 0 { share += (total - self.total) / Double(inFlight) }
    self.total = total
  }
}

/// Reads what a meter needs, as seldom as will do.
struct WorkerGauge {
  private(set) var meter = WorkerMeter()
  private var figures: ProcessFigures?
  private var children: Double = 0
  private var childrenRead: Int64 = 0
  private var residentRead: Int64 = 0

  /// Children are counted in ticks of 10 ms: no need to look more often.
  private static let childrenPause: Int64 = 5_000_000
  private static let residentPause: Int64 = 100_000_000

  mutating func begin(process: Int32) { figures = ProcessFigures(process: process) }

  /// Before the number of calls in flight changes.
  mutating func read(inFlight: Int, now: Int64) {
    guard let figures else { return }
    if now - childrenRead >= Self.childrenPause {
      childrenRead = now
      children = figures.childrenCPU ?? children
    }
    if let own = figures.ownCPU { meter.advance(to: own + children, inFlight: inFlight) }
  }

  /// - Parameter total: what wait4(2) says of the worker and its descendants.
  mutating func end(total: Double, inFlight: Int) { meter.advance(to: total, inFlight: inFlight) }

  /// Lets the worker use so much CPU time from now on, and ends it by SIGXCPU when it has.
  func allow(_ cpuTime: Duration?) {
    if let cpuTime { figures?.allow(cpuTime) }
  }

  /// The resident set, bytes; `nil` where somebody looked just now.
  mutating func resident(now: Int64) -> Int? {
    guard let figures, now - residentRead >= Self.residentPause else { return nil }
    residentRead = now
    return figures.resident
  }
}
