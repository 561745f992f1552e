import Foundation
import Testing

func expectRoundTrip<Value: Codable & Equatable>(_ value: Value) throws {
  #expect(try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(value)) == value)
}
