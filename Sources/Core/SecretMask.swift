import Foundation

/// Hides the values of secrets wherever they would be shown.
package struct SecretMask: Sendable {
  private let hidden: [String]
  /// Shorter values would mask innocent text.
  private static let shortest = 4
  /// Of one line of a secret of several: what a log shows is lines.
  private static let shortestLine = 8

  /// - Parameter values: the secrets themselves; their base64 and URL-encoded forms are hidden too.
  package init(values: [String]) {
    var forms: Set<String> = []
    for value in values where value.utf8.count >= Self.shortest {
      forms.insert(value)
      let lines = value.split(whereSeparator: \.isNewline).map(String.init)
      forms.formUnion(lines.filter { $0.utf8.count >= Self.shortestLine })
      forms.insert(Data(value.utf8).base64EncodedString())
      forms.insert(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? value)
      // as it reads inside JSON, and as it is shown
      if let quoted = try? JSON.string(value).line() { forms.insert(String(quoted.dropFirst().dropLast())) }
      forms.insert(Display.escaped(value))
    }
    hidden = forms.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
  }

  /// Whether a variable's name says that its value is a secret.
  package static func looksSecret(name: String) -> Bool {
    let words = [
      "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "API_KEY", "APIKEY", "PRIVATE_KEY",
    ]
    return words.contains { name.uppercased().contains($0) }
  }

  package func masked(_ text: String) -> String {
    hidden.reduce(text) { text, secret in text.contains(secret) ? text.replacing(secret, with: "***") : text }
  }

  package func masked(_ bytes: [UInt8]) -> [UInt8] {
    if hidden.isEmpty { return bytes }
    guard let text = String(validating: bytes, as: UTF8.self) else { return maskedBytes(bytes) }
    return Array(masked(text).utf8)
  }

  /// Text that is not UTF-8 all through.
  private func maskedBytes(_ bytes: [UInt8]) -> [UInt8] {
    hidden.reduce(bytes) { bytes, secret in bytes.replacing(Array(secret.utf8), with: Array("***".utf8)) }
  }

  package func masked(_ value: JSON) -> JSON {
    if hidden.isEmpty { return value }
    switch value {
    case .string(let text): return .string(masked(text))
    case .array(let items): return .array(items.map(masked))
    case .object(let members):
      return .object(Dictionary(members.map { (masked($0), masked($1)) }) { first, _ in first })
    default: return value
    }
  }
}
