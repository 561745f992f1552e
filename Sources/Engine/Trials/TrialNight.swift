import Core
import Foundation

/// A window of a pipeline in which trials may run: one that is open, or the next.
struct TrialNight: Sendable, Equatable {
  var pipeline: String
  /// Until it opens; zero while it is open.
  var wait: Duration
  /// When it opened; of one that is to come this moment.
  var begin: Date
  /// When it closes; of one that is to come this moment.
  var end: Date

  /// The window that is open and not served, or else the one that opens next; `nil` where no pipeline has one.
  /// - Parameters:
  ///   - windows: by pipeline.
  ///   - served: pipelines that are done with until then.
  ///   - calendar: whose clock the windows go by.
  static func next(
    of windows: [String: TrialWindow], served: [String: Date], at now: Date, _ calendar: Calendar
  ) -> TrialNight? {
    let clock = calendar.dateComponents([.hour, .minute, .second], from: now)
    let minute = (clock.hour ?? 0) * 60 + (clock.minute ?? 0)
    let second = TimeInterval(clock.second ?? 0)
    let nights = windows.map { pipeline, window -> TrialNight in
      let past = window.left(at: minute)
      let left = TimeInterval(past * 60) - second
      if left > 0, served[pipeline].map({ $0 <= now }) ?? true {
        let end = now + left
        return TrialNight(
          pipeline: pipeline, wait: .zero, begin: end - TimeInterval(window.length * 60), end: end)
      }
      if left > 0, let until = served[pipeline], until < now + left {
        return TrialNight(
          pipeline: pipeline, wait: .seconds(max(1, until.timeIntervalSince(now))), begin: now, end: now)
      }
      let wait = past + window.wait(at: (minute + past) % TrialWindow.day)
      return TrialNight(
        pipeline: pipeline, wait: .seconds(max(1, Double(wait * 60) - second)), begin: now, end: now)
    }
    return nights.min { ($0.wait, $0.pipeline) < ($1.wait, $1.pipeline) }
  }
}
