import Core
import Foundation

/// Two secrets and a text, newlines between them: no secret is in what is left of the text.
enum Secrets {
  static func check(_ bytes: [UInt8]) throws {
    let parts = bytes.parts(3)
    guard parts.count == 3 else { return }
    let secrets = parts[0...1].map { String(decoding: $0, as: UTF8.self) }
    let mask = SecretMask(values: secrets)
    // what is looked for, wherever the fuzzer put it and where it never would
    for text in [parts[2], Array("x".utf8) + parts[0] + parts[2], parts[2] + parts[1] + parts[0]] {
      let masked = mask.masked(text)
      let worded = Array(mask.masked(String(decoding: text, as: UTF8.self)).utf8)
      for secret in secrets where secret.utf8.count >= 4 {
        let forms = [secret, Data(secret.utf8).base64EncodedString(), Display.escaped(secret)]
        for form in forms.map({ Array($0.utf8) }) {
          try hold(!masked.contains(form), "`\(secret)` is in the bytes \(masked)")
          try hold(!worded.contains(form), "`\(secret)` is in the words \(worded)")
        }
      }
    }
  }
}
