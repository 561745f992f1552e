import Trials

/// What nights show of the arm in force, drawn or measured: differences are to the control, and more is better.
package protocol Sight {
  mutating func score(on night: Int) -> Double?
  mutating func fold(on night: Int) -> Double?
  mutating func block(on night: Int) -> Double?
}

/// Nights with an arm in force, watched as the agent does it.
package struct WatchedYear: Sendable {
  /// The night of the demotion, from 1.
  package var demotion: Int?
  package var reason = ""
  package var alarms = 0
  package var folds = 0
  package var blocks = 0
  /// Folds of the two arms, all in all, up to the demotion.
  package var fits: Int { 2 * folds + 10 * blocks }

  /// - Parameter blocksANight: how many the night has room for.
  package init(_ sight: inout some Sight, margin: Double, nights: Int = 365, blocksANight: Int) {
    var watch = Watch(margin: margin)
    var last: Int?
    func tell(_ event: Watch.Event) {
      let before = watch.call
      if watch.record(event) != .calm, before == .calm { alarms += 1 }
    }
    for night in 1...nights {
      tell(.night(score: sight.score(on: night)))
      var left = blocksANight
      while left > 0, let wish = watch.wish(nightsSinceFold: last.map { Double(night - $0) }) {
        switch wish {
        case .fold:
          tell(.fold(difference: sight.fold(on: night)))
          folds += 1
          last = night
        case .block:
          tell(.block(difference: sight.block(on: night)))
          blocks += 1
          left -= 1
        }
      }
      if case .demote(let reason) = watch.call {
        demotion = night
        self.reason = reason
        return
      }
    }
  }
}
