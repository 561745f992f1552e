/// Values of a tree whose shape was checked; `nil` where there is none, or where the check has said why.
extension Node {
  package var texts: [String]? { elements.map { $0.compactMap(\.text) } }
  package var flag: Bool? { json.bool }
  package var whole: Int? { if case .integer(let number) = json { number } else { nil } }
  package var number: Double? { json.double }
  package var duration: Duration? { text.flatMap { try? Quantity.duration($0) } }
  package var size: Int? { text.flatMap { try? Quantity.size($0) } }
  package var percent: Double? { text.flatMap { try? Quantity.percent($0) } }
  package var rate: Double? { text.flatMap { try? Quantity.rate($0) } }
  package var fraction: Double? { text.flatMap { try? Quantity.fraction($0) } }
}
