import Foundation

/// How numbers are put in the reasons that people read.
enum Words {
  /// Three significant digits, `0.0123`; whole from a thousand on.
  static func number(_ value: Double) -> String { String(format: abs(value) < 1000 ? "%.3g" : "%.0f", value) }

  /// `43 %`.
  static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}
