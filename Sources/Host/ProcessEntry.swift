import CSystem
import Core
import Glibc

/// What the kernel's table says of one process: proc_pid_stat(5).
struct ProcessEntry: Sendable, Equatable {
  enum State: Sendable {
    case running
    /// By a signal or a tracer: it does nothing before it is woken.
    case stopped
    /// Only its parent has not heard of it yet.
    case ended
  }

  var process: Int32
  var parent: Int32
  var group: Int32
  var session: Int32
  var state: State

  /// `nil` where there is none.
  static func of(_ process: Int32) -> ProcessEntry? {
    ProcessFigures(process: process).fields(of: "stat", after: UInt8(ascii: ")")).flatMap {
      ProcessEntry(process, fields: $0)
    }
  }

  /// Everyone's; what begins or ends meanwhile may be missing.
  static func all() -> [ProcessEntry] {
    var found: [ProcessEntry] = []
    ProcessList.forEach { process in
      if let entry = of(process) { found.append(entry) }
    }
    return found
  }

  /// - Parameter fields: of `/proc/PID/stat`, those that follow the name; the first is field 3.
  init?(_ process: Int32, fields: [Substring]) {
    guard fields.count > 17, let parent = Int32(fields[1]), let group = Int32(fields[2]), let session = Int32(fields[3])
    else { return nil }
    (self.process, self.parent, self.group, self.session) = (process, parent, group, session)
    switch fields[0] {
    case "T", "t": state = .stopped
    // the first thread alone may have ended
    case "Z", "X": state = (Int(fields[17]) ?? 1) > 1 ? .running : .ended
    default: state = .running
    }
  }

  init(process: Int32, parent: Int32, group: Int32, session: Int32, state: State = .running) {
    (self.process, self.parent, self.group, self.session, self.state) = (process, parent, group, session, state)
  }

  /// Whether this is still the process that was read, and at the same place.
  private var stands: Bool {
    Self.of(process).map { ($0.parent, $0.group, $0.session) == (parent, group, session) } ?? false
  }

  /// Signals this very process, or its group; whoever has got its number since is left alone.
  func signal(_ number: Int32, toGroup: Bool = false) {
    let held = Descriptor(owning: process_open(process))
    guard held.number >= 0, stands else { return }
    if toGroup { kill(-group, number) } else { _ = process_signal(held.number, number) }
  }
}
