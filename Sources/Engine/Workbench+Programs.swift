import Core
import Foundation
import Store

extension Workbench {
  /// From one try to the next.
  private static let breath = Duration.seconds(2)

  /// No program is held ready for longer than that, in seconds: its envelope tells a deadline.
  static let freshness: TimeInterval = 0.1

  /// Runs a program; where the machine has no room for another one, it says so and waits until there is.
  /// - Parameters:
  ///   - worker: answers the request instead of a process of its own.
  ///   - renewed: makes the request anew where what it was to wait for took long.
  func work(
    _ request: ProgramRequest, of run: Run, stage: String?, by worker: WorkerProgram? = nil,
    renewed: () throws -> ProgramRequest? = { nil }
  ) async throws -> ProgramResult {
    // one of its own is given only after that
    guard request.permit == nil, let recording, !recording.isGiven else {
      return try await patiently(request, of: run, stage: stage, by: worker)
    }
    let made = now()
    var held = request
    held.permit = recording.given { [now] in (0..<Self.freshness).contains(now().timeIntervalSince(made)) }
    do { return try await patiently(held, of: run, stage: stage, by: worker) } catch is Permit.Outlived {
      return try await patiently(try renewed() ?? request, of: run, stage: stage, by: worker)
    }
  }

  private func patiently(
    _ request: ProgramRequest, of run: Run, stage: String?, by worker: WorkerProgram?
  ) async throws -> ProgramResult {
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
