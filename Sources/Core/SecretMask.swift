import Foundation

/// Hides the values of secrets wherever they would be shown.
package struct SecretMask: Sendable {
  /// By their first byte, the longest first; empty where there is none at all.
  private let hidden: [[[UInt8]]]
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
    let byLength = forms.map { Array($0.utf8) }.filter { $0.count >= Self.shortest }.sorted { $0.count > $1.count }
    var hidden: [[[UInt8]]] = byLength.isEmpty ? [] : Array(repeating: [], count: 256)
    for form in byLength { hidden[Int(form[0])].append(form) }
    self.hidden = hidden
  }

  /// Whether a variable's name says that its value is a secret.
  package static func looksSecret(name: String) -> Bool {
    let words = [
      "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "API_KEY", "APIKEY", "PRIVATE_KEY",
    ]
    return words.contains { name.uppercased().contains($0) }
  }

  package func masked(_ text: String) -> String {
    if hidden.isEmpty { return text }
    let bytes = Array(text.utf8)
    return firstSecret(in: bytes, from: 0) == nil ? text : String(decoding: masked(bytes), as: UTF8.self)
  }

  /// Bytes are compared, not characters: an accent after a secret makes another character of its last letter.
  package func masked(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    // what stands around a mask may be another secret; each round leaves less, for the mask is the shorter
    while firstSecret(in: bytes, from: 0) != nil { bytes = maskedOnce(bytes) }
    return bytes
  }

  /// Secrets that overlap are one.
  private func maskedOnce(_ bytes: [UInt8]) -> [UInt8] {
    var masked: [UInt8] = []
    var rest = 0
    while let secret = firstSecret(in: bytes, from: rest) {
      var end = secret.upperBound
      var next = secret.lowerBound + 1
      while let other = firstSecret(in: bytes, from: next, before: end) {
        end = max(end, other.upperBound)
        next = other.lowerBound + 1
      }
      masked += bytes[rest..<secret.lowerBound] + Self.mask
      rest = end
    }
    return masked + bytes[rest...]
  }

  private func firstSecret(in bytes: [UInt8], from begin: Int, before end: Int? = nil) -> Range<Int>? {
    if hidden.isEmpty { return nil }
    for at in begin..<(end ?? bytes.count) {
      for form in hidden[Int(bytes[at])] where bytes[at...].starts(with: form) { return at..<at + form.count }
    }
    return nil
  }

  private static let mask = Array("***".utf8)

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
