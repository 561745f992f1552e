/// How a fan-out stage goes through its items: one call an item.
package struct Each: Sendable, Equatable, Codable {
  /// The output whose JSON Lines are the items; `nil` takes the items of the `each` stage it needs.
  package var from: String?
  /// Calls at the same time; `nil` shares the lanes of the `each` stage before, or is the standard where there is none.
  package var concurrency: Int?
  /// Where nothing says how many.
  package static let standardConcurrency = 4

  /// Items of one call.
  package var batch: Int
  /// Calls begun in a second at most; `nil` is no limit.
  package var rate: Double?
  /// Share of the items that must succeed, 0...1.
  package var minSuccess: Double
  /// Of one item.
  package var retry: RetryPolicy

  package init(
    from: String? = nil, concurrency: Int? = nil, batch: Int = 1, rate: Double? = nil, minSuccess: Double = 1,
    retry: RetryPolicy = RetryPolicy()
  ) {
    self.from = from
    self.concurrency = concurrency
    self.batch = batch
    self.rate = rate
    self.minSuccess = minSuccess
    self.retry = retry
  }
}
