import Foundation

/// How numbers are put in the reasons that people read.
enum Words {
  /// Three significant digits: `0.0123`.
  static func number(_ value: Double) -> String { String(format: "%.3g", value) }

  /// `43 %`.
  static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}
