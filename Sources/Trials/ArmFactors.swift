import Core

/// How the arms of a plan differ from the control, factor by factor: what the model of arms goes by.
struct ArmFactors: Sendable {
  let arms: Int
  /// Factors in which any arm differs from the control.
  let varying: Int
  private let width: Int
  /// By arm, then factor; 0 is the control's value.
  private let values: [UInt8]

  init(_ arms: [Arm]) {
    let stages = Set(arms.flatMap { $0.levels.keys }).sorted()
    var variants: [String: UInt8] = [:]
    var values: [UInt8] = []
    for arm in arms {
      for stage in stages {
        let level = arm.levels[stage]
        let same = level == arms[0].levels[stage]
        values.append(same ? 0 : UInt8((level.flatMap { Granularity.allCases.firstIndex(of: $0) } ?? 9) + 1))
      }
      if arm.variant == arms[0].variant {
        values.append(0)
      } else {
        let name = arm.variant ?? ""
        let number = variants[name] ?? UInt8(clamping: variants.count + 1)
        variants[name] = number
        values.append(number)
      }
    }
    self.arms = arms.count
    self.width = stages.count + 1
    self.values = values
    let width = width
    varying = (0..<width).count { factor in
      stride(from: factor, to: values.count, by: width).contains { values[$0] != 0 }
    }
  }

  /// Factors in which two arms have the same value that is not the control's.
  func shared(_ one: Int, _ other: Int) -> Int {
    values.withUnsafeBufferPointer { values in
      var count = 0
      for factor in 0..<width {
        let value = values[one * width + factor]
        if value != 0, value == values[other * width + factor] { count += 1 }
      }
      return count
    }
  }

  /// Factors in which the arm is not as the control.
  func changes(of arm: Int) -> Int { shared(arm, arm) }
}
