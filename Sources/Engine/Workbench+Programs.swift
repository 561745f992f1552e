import Core

extension Workbench {
  /// From one try to the next.
  private static let breath = Duration.seconds(2)

  /// Runs a program; where the machine has no room for another one, it says so and waits until there is.
  func work(_ request: ProgramRequest, of run: Run, stage: String?) async throws -> ProgramResult {
    var result = try await processes.run(request)
    while result.isShortage, case .unstarted(let reason) = result.termination {
      guard request.cancellation?.cause == nil else {
        result.ending = .cancelled
        break
      }
      say(.programDelayed(reason: reason), run, stage: stage)
      try await clock.sleep(for: Self.breath)
      result = try await processes.run(request)
    }
    return result
  }
}
