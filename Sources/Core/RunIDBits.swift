extension RunID {
  /// The id as the number it is, for where many are kept.
  package struct Bits: Hashable, Sendable {
    fileprivate var high: UInt64 = 0
    fileprivate var low: UInt64 = 0
  }

  package var bits: Bits {
    var bits = Bits()
    for byte in text.utf8 {
      guard let digit = Self.digit(byte) else { continue }
      bits.high = bits.high << 4 | bits.low >> 60
      bits.low = bits.low << 4 | digit
    }
    return bits
  }

  package init(_ bits: Bits) {
    var text = ""
    text.reserveCapacity(36)
    for index in 0..<32 {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      let word = index < 16 ? bits.high : bits.low
      let digit = UInt8(truncatingIfNeeded: word >> (60 - 4 * UInt64(index % 16)) & 0xF)
      text.unicodeScalars.append(Unicode.Scalar(digit < 10 ? 0x30 + digit : 0x57 + digit))
    }
    self.init(canonical: text)
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x61...0x66: UInt64(byte - 0x57)
    default: nil
    }
  }
}
