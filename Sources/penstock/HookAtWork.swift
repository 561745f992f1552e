import Core
import Engine
import Foundation

/// A hook that a run waits for, as the agent tells it.
struct HookAtWork {
  var run: RunID
  var stage: String?
  var event: String
  var program: String
  /// Seconds.
  var elapsed: Double
  /// Seconds.
  var timeout: Double

  static func json(_ entry: HooksAtWork.Entry) -> JSON {
    [
      "run": .string(entry.run.text), "stage": entry.stage.map { .string($0) } ?? .null, "event": .string(entry.event),
      "program": .string(Display.escaped(entry.program)), "since": .string(Timestamp.text(entry.since)),
      "timeout_s": .number(entry.timeout / .seconds(1)),
    ]
  }

  /// Those of a live report, in the order they were asked.
  static func all(in live: JSON?, now: Date) -> [HookAtWork] {
    (live?["hooks"]?.array ?? []).compactMap { json in
      guard let run = json["run"]?.string.flatMap({ RunID($0) }), let event = json["event"]?.string,
        let program = json["program"]?.string, let since = json["since"]?.string.flatMap(Timestamp.date),
        let timeout = json["timeout_s"]?.double
      else { return nil }
      return HookAtWork(
        run: run, stage: json["stage"]?.string, event: event, program: program,
        elapsed: max(0, now.timeIntervalSince(since)), timeout: timeout)
    }
  }

  var json: JSON {
    [
      "run": .string(run.text), "stage": stage.map { .string($0) } ?? .null, "event": .string(event),
      "program": .string(program), "elapsed_s": .number(elapsed), "timeout_s": .number(timeout),
    ]
  }

  /// `hook hooks/before-run.d/10-scan for 5s, 30s at most`.
  var words: String {
    "hook \(program) for \(Shown.seconds(elapsed)), \(Shown.seconds(timeout)) at most"
  }
}
