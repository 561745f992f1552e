/// Runs programs under a time limit and ends every process they leave behind.
package protocol ProcessRunner: Sendable {
  /// Runs one program to its end, and to the end of every descendant.
  ///
  /// A non-zero exit, a signal, a timeout or a program that cannot be started is a result, not an error.
  /// - Throws: where the runner itself is gone, and what `permit` was refused for.
  func run(_ request: ProgramRequest) async throws -> ProgramResult
}

/// Thrown by a runner that lost a program together with its own helper: how the program ended will never be known,
/// every process of it is gone, and the next program finds a new helper.
package protocol ProgramLost: Error {}

package struct ProgramRequest: Sendable {
  /// The file to execute, an absolute path.
  package var executable: String
  /// With the program's own name as the first element.
  package var arguments: [String]
  /// The whole environment.
  package var environment: [String: String]
  /// An absolute path.
  package var directory: String
  /// Given on stdin, then end of file.
  package var input: [UInt8]
  /// `nil` is no limit.
  package var timeout: Duration?
  /// From TERM to KILL.
  package var grace: Duration
  /// Where it is recorded how the program ended, should the agent be gone by then: an absolute path, `nil` for nowhere.
  package var exitRecord: String?
  package var limits: ResourceLimits
  /// Bytes of stdout that are kept.
  package var replyLimit: Int
  /// Ends the program early.
  package var cancellation: Cancellation?
  /// All is prepared beside it; the program begins when it is given, or not at all where it is refused.
  package var permit: Permit?
  /// Called once when the program was handed over: what need not be done before it begins is done beside it.
  package var underWay: (@Sendable () -> Void)?
  /// Gets every line of stderr without its newline, and at most 64 KiB of it, in order.
  package var onLogLine: @Sendable ([UInt8]) -> Void

  package init(
    executable: String, arguments: [String], environment: [String: String], directory: String,
    input: [UInt8] = [], timeout: Duration? = nil, grace: Duration = .seconds(5), exitRecord: String? = nil,
    limits: ResourceLimits = ResourceLimits(), replyLimit: Int = 1 << 20,
    cancellation: Cancellation? = nil, onLogLine: @escaping @Sendable ([UInt8]) -> Void = { _ in }
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.input = input
    self.timeout = timeout
    self.grace = grace
    self.exitRecord = exitRecord
    self.limits = limits
    self.replyLimit = replyLimit
    self.cancellation = cancellation
    self.onLogLine = onLogLine
  }
}

/// Limits the kernel enforces on each process of a program, setrlimit(2).
package struct ResourceLimits: Sendable, Hashable, Codable {
  /// RLIMIT_AS, bytes.
  package var memory: Int?
  /// RLIMIT_NOFILE.
  package var openFiles: Int?
  /// RLIMIT_CPU, of one process, whole seconds.
  package var cpuTime: Duration?
  /// Runs under SCHED_IDLE, so that it gives way to everything else.
  package var idle: Bool

  package init(memory: Int? = nil, openFiles: Int? = nil, cpuTime: Duration? = nil, idle: Bool = false) {
    self.memory = memory
    self.openFiles = openFiles
    self.cpuTime = cpuTime
    self.idle = idle
  }
}

package struct ProgramResult: Sendable, Equatable {
  package var termination: Termination
  package var ending: Ending
  package var usage: ResourceUsage
  /// What it wrote to stdout, up to the limit.
  package var reply: [UInt8]
  package var replyIsCut: Bool
  /// It could not be started for want of processes, descriptors or memory, of which there may be some later.
  package var isShortage: Bool
  /// Why a worker gave no reply, or one that is none (then `reply` is what came instead): always a failure of the call.
  package var trouble: String?
  /// It was killed while the kernel killed for want of memory.
  package var isOutOfMemory = false
  /// Its keeper was killed, and it with it: no doing of its own.
  package var isLost = false

  /// Who ended the program.
  package enum Ending: String, Sendable, Equatable, Codable {
    case itself
    case timeout
    case cancelled
    /// The agent was gone: only ever read from an exit record.
    case abandoned
  }

  package init(
    termination: Termination, ending: Ending, usage: ResourceUsage, reply: [UInt8], replyIsCut: Bool,
    isShortage: Bool = false, trouble: String? = nil
  ) {
    self.termination = termination
    self.ending = ending
    self.usage = usage
    self.reply = reply
    self.replyIsCut = replyIsCut
    self.isShortage = isShortage
    self.trouble = trouble
  }
}

extension ProgramResult {
  /// `trouble`, with the beginning of what came instead of a reply; to be asked once the reply is masked.
  package var troubleInWords: String? {
    guard let trouble, !reply.isEmpty else { return trouble }
    return "bad reply: `\(Display.brief(String(decoding: reply, as: UTF8.self)))` \(trouble)"
  }
}
