/// Rows under titles, as wide as they need and no wider than the terminal.
struct Table {
  struct Column {
    var title: String
    var isRight = false
    /// May be cut with `…` where the terminal is narrow.
    var gives = false

    static func left(_ title: String) -> Column { Column(title: title) }
    static func right(_ title: String) -> Column { Column(title: title, isRight: true) }
    static func giving(_ title: String) -> Column { Column(title: title, gives: true) }
  }

  /// Text that is safe to show, and how it looks.
  struct Cell: ExpressibleByStringLiteral {
    var text: String
    var tone: Output.Tone

    init(_ text: String, _ tone: Output.Tone = .plain) {
      self.text = text
      self.tone = tone
    }

    init(stringLiteral value: String) { self.init(value) }
  }

  private static let gap = "  "
  /// No column gives way below this.
  private static let least = 8

  private let columns: [Column]
  private let indent: Int
  private var rows: [[Cell]] = []

  init(_ columns: [Column], indent: Int = 0) {
    self.columns = columns
    self.indent = indent
  }

  var isEmpty: Bool { rows.isEmpty }

  mutating func add(_ cells: [Cell]) { rows.append(cells) }

  /// The lines, titles first; columns that are empty in every row are left out.
  func lines(_ output: Output) -> [String] {
    let shown = columns.indices.filter { column in rows.contains { !$0[column].text.isEmpty } }
    var widths = columns.indices.map { column in
      rows.map { TextWidth.of($0[column].text) }.reduce(TextWidth.of(columns[column].title), max)
    }
    if let fit = output.fit { narrow(&widths, shown, to: fit) }
    func line(_ cells: [Cell]) -> String {
      var parts: [String] = []
      for column in shown {
        let cut = TextWidth.cut(cells[column].text, to: widths[column])
        let text = output.toned(cut, cells[column].tone)
        let isLast = column == shown.last && !columns[column].isRight
        parts.append(
          isLast ? text : TextWidth.padded(text, to: widths[column], right: columns[column].isRight))
      }
      var whole = String(repeating: " ", count: indent) + parts.joined(separator: Self.gap)
      while whole.last == " " { whole.removeLast() }
      return output.fit.map { TextWidth.cut(whole, to: $0) } ?? whole
    }
    let hasTitles = columns.contains { !$0.title.isEmpty }
    return (hasTitles ? [line(columns.map { Cell($0.title, .quiet) })] : []) + rows.map(line)
  }

  private func narrow(_ widths: inout [Int], _ shown: [Int], to fit: Int) {
    let gaps = Self.gap.count * max(0, shown.count - 1)
    var excess = indent + gaps + shown.reduce(0) { $0 + widths[$1] } - fit
    while excess > 0 {
      let giving = shown.filter { columns[$0].gives && widths[$0] > Self.least }
      guard let widest = giving.max(by: { widths[$0] < widths[$1] }) else { return }
      let next = giving.filter { $0 != widest }.map { widths[$0] }.max() ?? Self.least
      let step = min(excess, max(1, widths[widest] - max(next, Self.least)))
      widths[widest] -= step
      excess -= step
    }
  }
}
