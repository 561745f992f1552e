/// The exit codes of every command, DESIGN 5 and sysexits.h.
enum ExitCodes {
  static let ok: Int32 = 0
  /// A run failed.
  static let runFailed: Int32 = 1
  /// Usage, or an invalid file.
  static let usage: Int32 = 2
  static let notRunning: Int32 = 3
  static let degraded: Int32 = 4
  static let storageFailed: Int32 = 70
  /// Try later: a second agent, a held lock.
  static let tryLater: Int32 = 75
  /// `etc/penstock.yaml` is bad at `up`.
  static let badSettings: Int32 = 78
  static let timedOut: Int32 = 124
  /// Nobody reads stdout any more, as after `| head`: 128 and SIGPIPE.
  static let unread: Int32 = 141
}

/// What ends a command: words on stderr and an exit code.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  let code: Int32

  init(_ description: String, code: Int32 = ExitCodes.usage) {
    self.description = description
    self.code = code
  }
}
