/// Calls programs that stay: each is started once and is then given one request a line (contract 1, warm workers).
package protocol Workers: Sendable {
  /// Sends one request to a worker of its program and returns what it answers; starts one where all are busy.
  ///
  /// The result's `reply` is the line with the id of the request. A worker that dies, or writes what is no reply, is a
  /// result, not an error: `trouble` or `termination` say how. `usage.peakRSS` is `nil`, for it cannot be known of one
  /// call; `usage.cpu` is 0 where other calls were in flight beside it.
  /// - Throws: only where the runner itself is gone, as `ProcessRunner.run` does.
  func call(_ call: WorkerCall) async throws -> ProgramResult
}

/// What a worker is: calls with equal programs share their workers.
package struct WorkerProgram: Sendable, Hashable {
  /// The file to execute, an absolute path.
  package var executable: String
  /// With the program's own name as the first element.
  package var arguments: [String]
  /// The whole environment; nothing of it may differ from call to call.
  package var environment: [String: String]
  /// An absolute path.
  package var directory: String
  package var limits: ResourceLimits
  /// Stands for the content of its files: where it differs, workers of the old one end with their last call.
  package var files: String
  /// From TERM to KILL.
  package var grace: Duration
  package var rules: WorkerRules

  package init(
    executable: String, arguments: [String], environment: [String: String], directory: String,
    limits: ResourceLimits = ResourceLimits(), files: String = "", grace: Duration = .seconds(5),
    rules: WorkerRules = WorkerRules()
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.directory = directory
    self.limits = limits
    self.files = files
    self.grace = grace
    self.rules = rules
  }
}

package struct WorkerCall: Sendable {
  package var program: WorkerProgram
  /// One JSON object on one line without a member `id`, which the workers add; a newline at its end is optional.
  package var request: [UInt8]
  /// From the moment a worker gets the request until the worker's whole tree is ended; `nil` is no limit.
  package var timeout: Duration?
  /// Bytes of the reply that are kept.
  package var replyLimit: Int
  /// Ends the worker's whole tree; other calls it had in flight are sent to another one.
  package var cancellation: Cancellation?
  /// Gets lines of stderr as `ProgramRequest.onLogLine` does.
  ///
  /// Where several calls are in flight in one worker its lines cannot be told apart: they go to the oldest.
  package var onLogLine: @Sendable ([UInt8]) -> Void

  package init(
    program: WorkerProgram, request: [UInt8], timeout: Duration? = nil, replyLimit: Int = 1 << 20,
    cancellation: Cancellation? = nil, onLogLine: @escaping @Sendable ([UInt8]) -> Void = { _ in }
  ) {
    self.program = program
    self.request = request
    self.timeout = timeout
    self.replyLimit = replyLimit
    self.cancellation = cancellation
    self.onLogLine = onLogLine
  }
}
