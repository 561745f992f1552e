import Foundation

/// An e-detector: an alarm when the mean of a sequence has risen above zero, at whatever time.
///
/// The sum, over all times it may have begun, of the e-process restarted there. While the mean is at most zero the mean
/// time to an alarm is at least the threshold (Shin, Ramdas and Rinaldo, "E-detectors", 2022; Shiryaev 1963, Roberts
/// 1966).
package struct ShiryaevRoberts: Sendable {
  /// Values between false alarms, at least, in the mean.
  package let runLength: Double
  /// s0 of the e-processes, in the unit of the values.
  private let floor: Double
  /// Later starts are not dropped; earlier ones only lower the sum.
  private let memory = 128
  private var starts: [Moments] = []
  /// The sum as of the last value.
  package private(set) var evidence = 0.0

  package init(runLength: Double, floor: Double) {
    self.runLength = runLength
    self.floor = floor
  }

  package mutating func add(_ value: Double) {
    starts.append(Moments())
    if starts.count > memory { starts.removeFirst() }
    evidence = 0
    for index in starts.indices {
      starts[index].add(value)
      evidence += exp(min(EProcess.logE(starts[index], floor: floor), 600))
    }
  }

  package var isAlarm: Bool { evidence >= runLength }

  /// Forgets all values.
  package mutating func restart() {
    starts = []
    evidence = 0
  }
}
