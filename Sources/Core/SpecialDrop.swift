/// What is dropped and is no plain file: it goes to quarantine, and is not tried again as it is.
package enum SpecialDrop {
  private static let suffix = ", not a file with content of its own"

  /// - Parameter kind: `symbolic link`, `named pipe`, …
  package static func reason(_ kind: String) -> String { "is a \(kind)\(suffix)" }

  /// What to do about a run that is in quarantine for this reason; `nil` where the reason is another.
  package static func remedy(of reason: String) -> String? {
    guard reason.hasSuffix(suffix) else { return nil }
    return reason.hasSuffix(Self.reason("symbolic link"))
      ? "`penstock put` what it points to, for no link is followed"
      : "drop a file in its place, for there is nothing in it to run on"
  }
}
