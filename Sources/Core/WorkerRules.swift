/// How the warm workers of one executable are kept.
package struct WorkerRules: Sendable, Hashable, Codable {
  /// Requests that one worker has in hand at the same time.
  package var inFlight: Int
  /// Workers at the same time; `nil` is as many as are asked for at once.
  package var most: Int?
  /// A worker is replaced after so many calls.
  package var calls: Int
  /// A worker is replaced when it is as old as this.
  package var age: Duration
  /// A worker is replaced when its resident set is larger, bytes.
  package var memory: Int

  package init(
    inFlight: Int = 1, most: Int? = nil, calls: Int = 100_000, age: Duration = .seconds(3600), memory: Int = 2 << 30
  ) {
    self.inFlight = inFlight
    self.most = most
    self.calls = calls
    self.age = age
    self.memory = memory
  }
}
