/// How many columns of a terminal a text takes.
enum TextWidth {
  /// Escape sequences take none, combining marks none, East Asian wide characters and emoji two.
  static func of(_ text: some StringProtocol) -> Int {
    var scan = Scan(text)
    var width = 0
    while let piece = scan.next() { width += piece.width }
    return width
  }

  /// `text`, ending in `…` where it is wider than `width`; colours are closed again.
  static func cut(_ text: String, to width: Int) -> String {
    guard of(text) > width else { return text }
    guard width > 1 else { return width == 1 ? "…" : "" }
    var scan = Scan(text)
    var (kept, taken, isColored) = ("", 0, false)
    while let piece = scan.next() {
      if piece.width + taken > width - 1 { break }
      if piece.isEscape { isColored = piece.text != "\u{1B}[0m" }
      kept += piece.text
      taken += piece.width
    }
    return kept + "…" + (isColored ? "\u{1B}[0m" : "")
  }

  /// `text` in lines no wider than `width`, broken at spaces where there are any.
  static func wrapped(_ text: String, to width: Int) -> [String] {
    guard width > 0, of(text) > width else { return [text] }
    var lines: [String] = []
    var (line, taken) = ("", 0)
    func end() {
      while line.last == " " { line.removeLast() }
      lines.append(line)
      (line, taken) = ("", 0)
    }
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let wide = of(word)
      if taken > 0, taken + 1 + wide > width { end() } else if taken > 0 { (line, taken) = (line + " ", taken + 1) }
      if wide <= width {
        (line, taken) = (line + word, taken + wide)
        continue
      }
      for character in word {
        if taken + columns(of: character) > width { end() }
        line.append(character)
        taken += columns(of: character)
      }
    }
    end()
    return lines
  }

  static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let blank = String(repeating: " ", count: max(0, width - of(text)))
    return right ? blank + text : text + blank
  }

  private struct Piece {
    var text: String
    var width: Int
    var isEscape: Bool
  }

  private struct Scan {
    private var rest: Substring

    init(_ text: some StringProtocol) { rest = Substring(text) }

    mutating func next() -> Piece? {
      guard let first = rest.first else { return nil }
      if first == "\u{1B}" {
        // CSI … final letter, the only kind this program writes
        let end = rest.dropFirst(2).firstIndex { $0.isASCII && ($0.isLetter || $0 == "~") }
        let text = end.map { String(rest[...$0]) } ?? String(rest)
        rest = rest.dropFirst(text.count)
        return Piece(text: text, width: 0, isEscape: true)
      }
      rest.removeFirst()
      return Piece(text: String(first), width: TextWidth.columns(of: first), isEscape: false)
    }
  }

  private static func columns(of character: Character) -> Int {
    if character.isASCII { return 1 }
    guard let first = character.unicodeScalars.first else { return 0 }
    let isEmoji = character.unicodeScalars.contains { $0.value == 0xFE0F }
    if isEmoji || first.properties.isEmojiPresentation || wide.contains(where: { $0.contains(first.value) }) {
      return 2
    }
    switch first.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: return 1
    }
  }

  /// East Asian Width W and F, Unicode Standard Annex 11, in whole blocks.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
    0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60,
    0xFFE0...0xFFE6, 0x20000...0x3FFFD,
  ]
}
