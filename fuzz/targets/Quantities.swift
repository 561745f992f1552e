import Core

/// Durations, sizes and shares as a person might type them.
enum Quantities {
  static func check(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    do {
      let duration = try Quantity.duration(text)
      try hold(duration >= .zero, "a time before now")
      try hold(try Quantity.duration(Quantity.spelled(duration)) == duration, "a time is not read back as written")
      _ = Quantity.text(duration)
    } catch let error as Quantity.Malformed { try readable(error) }
    do {
      let size = try Quantity.size(text)
      try hold(size >= 0, "a negative size")
      try hold(try Quantity.size(Quantity.spelled(bytes: size)) == size, "a size is not read back as written")
      _ = Quantity.text(bytes: size)
    } catch let error as Quantity.Malformed { try readable(error) }
    do { try hold(try Quantity.percent(text).isFinite, "an endless share") } catch let error as Quantity.Malformed {
      try readable(error)
    }
    do {
      let fraction = try Quantity.fraction(text)
      try hold(fraction > 0 && fraction < 1, "\(fraction) is no part of a whole")
    } catch let error as Quantity.Malformed { try readable(error) }
    _ = RunReference(text)
    _ = Node.plain(text)
  }

  private static func readable(_ error: Quantity.Malformed) throws {
    for words in [error.reason, error.hint ?? ""] {
      let bad = words.unicodeScalars.first(where: Displayed.isObeyedOrHidden)
      try hold(bad == nil, "a reason holds U+\(String(bad?.value ?? 0, radix: 16))")
      try hold(words.utf8.count < 1000, "a reason of \(words.utf8.count) bytes")
    }
  }
}
