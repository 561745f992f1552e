package import Core

extension TrialService {
  /// Why there can be no trial, in words.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// How a night, or what a person asked for, ended.
  package struct Report: Sendable {
    package var trial: Trial
    /// It goes on with the next night, or when asked again.
    package var isPaused: Bool
    package var reason: String
  }
}
