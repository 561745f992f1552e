/// The keys of `trigger.schedule`.
enum ScheduleShape {
  static let root = Record(
    "`schedule`",
    [
      Field(
        "cron", .text,
        "Minute, hour, day of the month, month and weekday, or a nickname such as `@daily`; see crontab(5)."),
      Field(
        "every", .duration(atLeast: .seconds(1)),
        "In place of `cron`: a period, counted from 1970-01-01 00:00 UTC by real time."),
      Field("tz", .text, "The time zone of `cron`, such as `Europe/Berlin`; the machine's if unsaid."),
      Field(
        "missed",
        .wordOr(
          MissedRule.words,
          Record("`missed`", [Field("all", .whole(1...1000), required: true, "A run for each, at most so many.")])),
        "Slots that passed while no agent was there: `once` one run for all of them (if unsaid), `all` a run for each of the newest \(MissedRule.mostIfUnsaid), `skip` none."
      ),
      Field(
        "grace", .duration(atLeast: .seconds(1)),
        "How late a missed slot may still be made up for; any time if unsaid."),
      Field(
        "overlap",
        .wordOr(
          OverlapRule.words,
          Record(
            "`overlap`", [Field("allow", .whole(1...1000), required: true, "So many slots of it at the same time.")])),
        "A slot that comes while an earlier one is still at work: `queue_one` lets one wait for its end (if unsaid), `skip` none, `allow` lets it run beside."
      ),
      Field(
        "spread", .duration(atLeast: .seconds(1)),
        "Each pipeline begins at a moment of its own within this time after the slot."),
    ])
}
