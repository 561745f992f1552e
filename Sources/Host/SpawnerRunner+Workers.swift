import Core

extension SpawnerRunner {
  /// Starts a program that stays.
  /// - Throws: `SystemError`, `SpawnerMissing` or `RunnerStopped` where it cannot even be tried.
  func startWorker(
    _ request: ProgramRequest, news: @escaping @Sendable (WorkerProcess.News) -> Void
  ) throws -> WorkerProcess {
    let (link, token) = try claim()
    let worker = WorkerProcess(
      token: token, link: link, reactor: reactor, pipes: try WorkerPipes(for: request),
      replyLimit: request.replyLimit, news: news)
    try worker.start()
    return worker
  }
}
