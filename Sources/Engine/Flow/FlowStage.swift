import Core
import Synchronization

/// One stage of a flow, decided and ready to be given items.
struct FlowStage: Sendable {
  let stage: Stage
  let each: Each
  /// Its number in the flow, from 0.
  let place: Int
  let sample: ItemSample
  /// `off` or skipped: items go through as they are.
  let isBypassed: Bool
  let tally = FlowTally()
  let pacing: Pace?
  /// What calls it; `nil` where it is bypassed.
  let caller: (any ItemCalling)?

  /// The rate of calls, shared by all lanes.
  final class Pace: Sendable {
    private let pacing: Mutex<CallPacing>
    private let start = ContinuousClock.now

    init(rate: Double) { pacing = Mutex(CallPacing(rate: rate)) }

    /// How long the next call must wait.
    func take() -> Duration { pacing.withLock { $0.take(at: ContinuousClock.now - start) } }
  }

  init(_ stage: Stage, _ each: Each, place: Int, sample: Double?, caller: (any ItemCalling)?) {
    self.stage = stage
    self.each = each
    self.place = place
    self.sample = ItemSample(sample)
    isBypassed = caller == nil
    pacing = each.rate.map { Pace(rate: $0) }
    self.caller = caller
  }

  var name: String { stage.name }
}

/// Calls the program of a stage for items.
protocol ItemCalling: Sendable {
  /// Whether its processes stay after the last call.
  var isStaying: Bool { get }

  /// One call; the answer has an outcome for each of `items`, in their order.
  /// - Parameter lane: calls of the same lane do not overlap.
  func call(_ items: [Item], lane: Int) async throws -> ItemAnswer
}

struct ItemAnswer: Sendable {
  var outcomes: [StageOutcome]
  var usage: ResourceUsage
  /// Why no call of this stage can succeed, where that is so.
  var refusal: String?

  init(_ outcomes: [StageOutcome], usage: ResourceUsage, refusal: String? = nil) {
    self.outcomes = outcomes
    self.usage = usage
    self.refusal = refusal
  }
}

/// Stages that share their lanes: so many calls at the same time, of whichever of them.
struct FlowSegment: Sendable, Equatable {
  /// Places in the flow.
  var stages: Range<Int>
  var lanes: Int
  var batch: Int

  /// A stage begins a segment where it says how many calls it makes at the same time, or takes several items at once.
  static func of(_ stages: [Each]) -> [FlowSegment] {
    var segments: [FlowSegment] = []
    for (place, each) in stages.enumerated() {
      if each.concurrency == nil, each.batch == 1, let last = segments.last, last.batch == 1 {
        segments[segments.count - 1].stages = last.stages.lowerBound..<(place + 1)
      } else {
        let lanes = each.concurrency ?? segments.last?.lanes ?? Each.standardConcurrency
        segments.append(FlowSegment(stages: place..<(place + 1), lanes: lanes, batch: each.batch))
      }
    }
    return segments
  }

  /// Items inside, above which those that wait there go first.
  var window: Int { max(64, 4 * lanes * batch) }

  /// Items that wait before it.
  var bound: Int { max(64, 2 * lanes * batch) }
}
