/// What `etc/penstock.yaml` says; every default lives here.
package struct Settings: Sendable, Equatable {
  /// Runs at the same time.
  package var concurrency = 2
  /// Quiet time after the last sign of a writer, before a drop is claimed.
  package var settle = Duration.seconds(2)
  /// The least after a rename into the inbox, where the kernel does not tell whether a file is still open.
  package var settleMoved = Duration.milliseconds(200)
  /// How often the inbox is looked at whole, whatever the events say.
  package var rescan = Duration.seconds(60)
  /// How new drops are found.
  package var watch = WatchSetting.auto
  /// How often the inbox is looked at where the kernel's events do not tell all.
  package var poll = Duration.seconds(5)
  /// How long an empty drop is waited for.
  package var settleEmpty = Duration.seconds(10)
  /// What becomes of drops that stay empty.
  package var empty = EmptyRule.run
  /// A drop whose writer has had it open for longer is told of.
  package var stuckWriter = Duration.seconds(3600)
  /// What happens to content that an earlier done drop of the same pipeline had, where the pipeline does not say.
  package var duplicates = DuplicateRule.run
  /// Whether drops leave the inbox.
  package var source = SourceRule.move
  /// Free bytes on the spool's filesystem below which nothing is claimed.
  package var reserve = 512 << 20
  /// From TERM to KILL.
  package var grace = Duration.seconds(5)
  /// Of a hook in a directory.
  package var hookTimeout = Duration.seconds(30)
  /// How long a stopping agent lets running stages finish.
  package var drain = Duration.seconds(10)
  /// Where the stage kit lies; `nil` looks in the usual places.
  package var kit: String?
  package var state = State()
  package var retention = Retention()
  /// What the built-in rules call much.
  package var rules = Thresholds()
  /// Names of environment variables passed on to every program.
  package var environment: [String] = []
  /// Names of environment variables whose values are masked wherever they would be shown.
  package var secrets: [String] = []
  /// Every random choice of a stage comes from this.
  package var seed = 42

  package init() {}

  /// How the database is looked after.
  package struct State: Sendable, Equatable {
    /// From one backup to the next; zero makes none.
    package var backup = Duration.zero
    /// Backups that stay, the newest.
    package var keep = 3
  }

  /// How long what ended runs left is kept, counted from their end; `nil` keeps it for ever.
  package struct Retention: Sendable, Equatable {
    /// Rows of the history.
    package var runs: Duration? = .seconds(90 * 86400)
    /// `var/runs/<run>/`.
    package var artifacts: Duration? = .seconds(30 * 86400)
    /// Logs of runs, and logs of the agent that were put aside.
    package var logs: Duration? = .seconds(14 * 86400)
    /// Bytes of `var/cache/`.
    package var cache: Int? = 5 << 30
    package var done: Duration?
    package var failed: Duration?
    /// Only what a person has acknowledged.
    package var quarantine: Duration?

    package init() {}
  }
}
