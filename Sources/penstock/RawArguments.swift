import Core

/// The words of the command line as the kernel gave them: a file name need not be UTF-8, and ArgumentParser's words are.
struct RawArguments {
  private let words: [[UInt8]]
  /// How often each word was asked for, so that two names that read the same are told apart by their order.
  private var taken: [String: Int] = [:]

  init(words: [[UInt8]]) { self.words = words }

  static func standard() -> RawArguments {
    let count = Int(CommandLine.argc)
    return RawArguments(
      words: (1..<max(1, count)).map { index in
        guard let word = CommandLine.unsafeArgv[index] else { return [] }
        return Array(UnsafeBufferPointer(start: word, count: Self.length(word)).lazy.map { UInt8(bitPattern: $0) })
      })
  }

  /// The bytes behind a word that ArgumentParser handed on.
  mutating func bytes(of text: String) -> FileName {
    guard text.unicodeScalars.contains("\u{FFFD}") else { return FileName(text) }
    let alike = words.compactMap { word in
      Self.readings(of: word).first { String(decoding: $0, as: UTF8.self) == text }
    }
    let index = taken[text, default: 0]
    taken[text] = index + 1
    return index < alike.count ? FileName(alike[index]) : FileName(text)
  }

  /// A word may be `--option=value`.
  private static func readings(of word: [UInt8]) -> [ArraySlice<UInt8>] {
    let value = word.firstIndex(of: UInt8(ascii: "=")).map { word[($0 + 1)...] }
    return [word[...]] + (value.map { [$0] } ?? [])
  }

  private static func length(_ word: UnsafePointer<CChar>) -> Int {
    var length = 0
    while word[length] != 0 { length += 1 }
    return length
  }
}
