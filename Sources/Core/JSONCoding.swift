import Foundation

extension JSON {
  /// What a value is as JSON.
  package init(encoding value: some Encodable) throws {
    self = try JSON(parsing: Array(JSONEncoder().encode(value)))
  }

  /// The value that was encoded.
  package func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(try bytes()))
  }
}
