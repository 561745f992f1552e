import Core
import Foundation

/// The nouns as people read them: safe for a terminal, with their units and glosses.
enum Shown {
  /// Words of a program, an error or a log: nothing a terminal obeys, backslashes left as they are.
  static func words(_ text: String) -> String {
    text.split(separator: "\\", omittingEmptySubsequences: false).map { Display.escaped($0) }.joined(
      separator: "\\")
  }

  /// The same, line by line.
  static func paragraph(_ text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map { words(String($0)) }
  }

  static func level(_ level: Granularity) -> String { "\(level.rawValue) (\(level.gloss))" }

  static func state(_ state: RunState) -> Table.Cell { Table.Cell(state.rawValue, Output.tone(of: state)) }

  static func state(_ state: AttemptState) -> Table.Cell {
    Table.Cell(state.rawValue, Output.tone(of: state))
  }

  static func seconds(_ seconds: Double?) -> String {
    seconds.map { Quantity.text(.milliseconds(Int64(($0 * 1000).rounded()))) } ?? ""
  }

  static func span(_ from: Date?, _ to: Date?) -> String {
    guard let from, let to else { return "" }
    return seconds(max(0, to.timeIntervalSince(from)))
  }

  static func bytes(_ bytes: Int?) -> String { bytes.map { Quantity.text(bytes: $0) } ?? "" }

  /// Why a run is where it is, on one line.
  static func reason(_ run: Run) -> String {
    let words = run.reason.map { Self.words($0) } ?? ""
    guard let stage = run.failedStage, !words.contains("`\(stage)`") else { return words }
    return "stage `\(stage)`" + (words.isEmpty ? "" : ": " + words)
  }

  /// `1 run`, `2 runs`.
  static func count(_ number: Int, _ noun: String, _ plural: String? = nil) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(plural ?? noun + "s")"
  }

  /// `40/100 items, 1 failed`.
  static func items(_ progress: ItemProgress) -> String {
    let done = progress.total.map { "\(progress.done)/\($0) items" } ?? Shown.count(progress.done, "item")
    return done + (progress.failed == 0 ? "" : ", \(progress.failed) failed")
  }

  /// Metrics of a stage, `rows 1200, accuracy 0.61`.
  static func metrics(_ metrics: [String: JSON]) -> String {
    metrics.sorted { $0.key < $1.key }.map { "\(words($0.key)) \(value($0.value))" }.joined(separator: ", ")
  }

  static func value(_ value: JSON) -> String {
    switch value {
    case .number(let number): String(format: "%.4g", number)
    case .string(let text): words(text)
    default: (try? value.line()) ?? ""
    }
  }
}
