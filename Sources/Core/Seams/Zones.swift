/// The time zones this machine knows.
package protocol Zones: Sendable {
  /// The rules of a zone of the tz database, or of the machine's own; `nil` where there is no such zone.
  func rules(_ name: String?) -> ZoneRules?
}
