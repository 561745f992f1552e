/// When a pipeline runs by the clock, and what becomes of slots that cannot run on time.
package struct Schedule: Sendable, Equatable, Codable {
  package var timing: Timing
  /// A name of the tz database; `nil` is the zone of the machine.
  ///
  /// Only a cron expression goes by it.
  package var zone: String?
  package var missed: MissedRule
  /// How late a missed slot may still be made up for; `nil` is any time.
  package var grace: Duration?
  package var overlap: OverlapRule
  /// Each pipeline has its own moment in this time after the slot, so that not all begin at once.
  package var spread: Duration

  package enum Timing: Sendable, Equatable, Codable {
    case cron(CronExpression)
    /// Whole seconds.
    case every(Int)
  }

  package init(
    _ timing: Timing, zone: String? = nil, missed: MissedRule = .once, grace: Duration? = nil,
    overlap: OverlapRule = .queueOne, spread: Duration = .zero
  ) {
    self.timing = timing
    self.zone = zone
    self.missed = missed
    self.grace = grace
    self.overlap = overlap
    self.spread = spread
  }

  /// As people know it: `30 2 * * *`, `every 15m`.
  package var words: String {
    switch timing {
    case .cron(let expression): expression.text
    case .every(let seconds): "every \(Quantity.spelled(.seconds(seconds)))"
    }
  }

  /// What its slots depend on: with another text they are others, and none of those was missed.
  package var content: String { words + (zone.map { " " + $0 } ?? "") }

  /// - Parameter zone: the rules of `zone`, or of the machine's.
  package func slots(in zone: ZoneRules) -> Slots {
    switch timing {
    case .cron(let expression): .cron(CronSlots(expression, in: zone))
    case .every(let seconds): .every(seconds)
    }
  }

  /// How long after each slot the pipeline of this name begins, whole seconds: the same each time.
  package func delay(of pipeline: String) -> Int {
    let range = UInt64(max(0, spread.components.seconds))
    guard range > 0 else { return 0 }
    // FNV-1a, 64 bits, with the last mixing of MurmurHash3: neighbouring names lie far apart
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in pipeline.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
    hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return Int((hash ^ hash >> 33) % range)
  }
}

/// What happens to slots that passed while no agent ran, the machine slept, or its clock was set.
package enum MissedRule: Sendable, Equatable, Codable {
  /// One run for all of them.
  case once
  /// A run for each of the newest, one after the other.
  case all(most: Int)
  case skip

  package static let words = ["once", "all", "skip"]
  package static let mostIfUnsaid = 24
}

/// What happens to a slot whose pipeline is still at work on an earlier one.
package enum OverlapRule: Sendable, Equatable, Codable {
  case skip
  /// It waits for the end of that one; while one waits the next ones are skipped.
  case queueOne
  /// It runs beside, up to so many; `nil` is no limit.
  case allow(Int?)

  package static let words = ["skip", "queue_one", "allow"]
}
