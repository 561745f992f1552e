import Core

/// Programs that stay: how a request becomes a call of a warm worker.
extension Workbench {
  /// The worker that answers `request` instead of a process of its own; `nil` where there are none.
  ///
  /// All that differs from call to call is in the request itself: a worker gets the part of the environment that does
  /// not, and works in the workspace.
  /// - Parameters:
  ///   - files: absolute paths of what is its identity beside the program itself.
  ///   - names: of environment variables that are passed on.
  func worker(for request: ProgramRequest, rules: WorkerRules, files: [String], names: [String]) -> WorkerProgram? {
    if workers == nil { return nil }
    return WorkerProgram(
      executable: request.executable, arguments: request.arguments,
      environment: ProgramEnvironment.staying(names: names, agent: environment, home: home), directory: home,
      limits: request.limits,
      files: mark(of: [request.executable] + request.arguments.dropFirst().map(path(of:)) + files),
      grace: request.grace, rules: rules)
  }

  /// The same as long as the process lives, and another one as soon as a file is changed, replaced, made or removed.
  private func mark(of files: [String]) -> String {
    var hasher = Hasher()
    for file in files {
      let isFile = spool.bytes(at: file) != nil
      hasher.combine(file)
      // a directory changes with every file that comes
      hasher.combine(isFile ? spool.sample(at: file) : nil)
    }
    return String(hasher.finalize())
  }

  /// Of an argument that may be a file.
  private func path(of argument: String) -> String { argument.hasPrefix("/") ? argument : home + "/" + argument }
}

extension Manifest {
  /// What it is identified by, as absolute paths.
  var filePaths: [String] { files.map { kit + "/" + $0 } }
}

extension WorkerCall {
  init(_ program: WorkerProgram, _ request: ProgramRequest) {
    self.init(
      program: program, request: request.input, timeout: request.timeout, replyLimit: request.replyLimit,
      cancellation: request.cancellation, onLogLine: request.onLogLine)
  }
}
