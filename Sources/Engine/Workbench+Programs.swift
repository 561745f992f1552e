import Core
import Store

extension Workbench {
  /// From one try to the next.
  private static let breath = Duration.seconds(2)

  /// Runs a program; where the machine has no room for another one, it says so and waits until there is.
  /// - Parameter worker: answers the request instead of a process of its own.
  func work(
    _ request: ProgramRequest, of run: Run, stage: String?, by worker: WorkerProgram? = nil
  ) async throws -> ProgramResult {
    var request = request
    // one of its own is given only after that
    request.permit = request.permit ?? recording
    var result = try await once(request, by: worker)
    while result.isShortage, case .unstarted(let reason) = result.termination {
      guard request.cancellation?.cause == nil else {
        result.ending = .cancelled
        break
      }
      say(.programDelayed(reason: reason), run, stage: stage)
      try await clock.sleep(for: Self.breath)
      result = try await once(request, by: worker)
    }
    return result
  }

  private func once(_ request: ProgramRequest, by worker: WorkerProgram?) async throws -> ProgramResult {
    if let worker, let workers {
      try await request.permit?.given()
      async let result = workers.call(WorkerCall(worker, request))
      request.underWay?()
      return try await result
    }
    return try await processes.run(request)
  }
}
