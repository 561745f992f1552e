import Core
import Foundation
import Host

/// Results on stdout, chatter on stderr; colour only on a terminal that wants it.
struct Output: Sendable {
  let isTerminal: Bool
  let columns: Int
  /// What tables must fit in; `nil` where nobody looks at a screen.
  let fit: Int?
  let hasColor: Bool

  static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> Output {
    let columns = Machine.columns(of: 1)
    let plain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false || environment["TERM"] == "dumb"
    let forced = environment["CLICOLOR_FORCE"].map { !$0.isEmpty && $0 != "0" } ?? false
    let width = environment["COLUMNS"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    return Output(
      isTerminal: columns != nil, columns: width ?? columns ?? 120, fit: width ?? columns,
      hasColor: !plain && (columns != nil || forced))
  }

  /// - Returns: false where nobody reads any more, as after `| head`.
  @discardableResult
  static func print(_ text: String, terminator: String = "\n") -> Bool {
    StandardOutput.write(Array((text + terminator).utf8))
  }

  static func chat(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
  }

  static func complain(_ text: String) { chat("penstock: " + text) }

  static func print(_ json: JSON) throws { print(try json.line()) }

  enum Tone: String {
    case good = "32"
    case bad = "31"
    case odd = "33"
    case quiet = "2"
    case strong = "1"
    case plain = "0"
  }

  func toned(_ text: String, _ tone: Tone) -> String {
    hasColor && tone != .plain && !text.isEmpty ? "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m" : text
  }

  static func tone(of state: RunState) -> Tone {
    switch state {
    case .done: .good
    case .failed, .quarantined: .bad
    case .cancelled, .waiting: .odd
    case .queued: .quiet
    case .running: .strong
    }
  }

  static func tone(of state: AttemptState) -> Tone {
    switch state {
    case .ok, .cached: .good
    case .failed, .denied, .timeout: .bad
    case .interrupted, .cancelled, .skipped: .odd
    case .running: .strong
    }
  }
}
