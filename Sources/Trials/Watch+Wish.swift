import Foundation

/// What the watch wants to see next.
extension Watch {
  package enum Wish: Sendable, Equatable {
    /// A fold, paired with the control.
    case fold
    /// A block, paired with the control.
    case block
  }

  /// - Parameter nights: since the last paired fold; `nil`: there was none.
  /// - Returns: `nil` for nothing tonight.
  package func wish(nightsSinceFold nights: Double?) -> Wish? {
    switch call {
    case .demote: nil
    case .blocks: .block
    // a night may begin some minutes earlier than another
    case .calm: nights.map { $0 > spacing - 0.5 } ?? true ? .fold : nil
    }
  }
}
