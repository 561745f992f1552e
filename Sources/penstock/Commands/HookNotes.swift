import Core

/// What hooks wished to be remembered with a run, and what they warned of.
enum HookNotes {
  static func table(_ calls: [HookCall]) -> Table {
    var table = Table([.giving("hook"), .left(""), .giving("")], indent: 2)
    for call in calls {
      for warning in call.warnings {
        table.add([.init(Shown.words(call.program)), .init("warning", .odd), .init(Shown.words(warning))])
      }
      for (key, value) in call.annotations.sorted(by: { $0.key < $1.key }) {
        table.add([.init(Shown.words(call.program)), .init(Shown.words(key), .strong), .init(Shown.value(value))])
      }
    }
    return table
  }
}
