/// Rows under titles, as wide as they need and no wider than the terminal: there the last column goes on below itself.
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
  /// The last one is not made narrower than this while others can still give way.
  private static let readable = 30
  /// Where even this is not left it stands below the others, so far in.
  private static let enough = 16
  private static let below = 4

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
    var isBelow = false
    if let fit = output.fit, !narrow(&widths, shown, to: fit), let last = shown.last, !columns[last].isRight {
      // too little is left beside the others
      isBelow = narrow(&widths, Array(shown.dropLast()), to: fit, wraps: false)
      widths[last] = fit - indent - Self.below
    }
    let hasTitles = columns.contains { !$0.title.isEmpty }
    let all = (hasTitles ? [columns.map { Cell($0.title, .quiet) }] : []) + rows
    return all.flatMap { lines(of: $0, shown, widths, isBelow, output) }
  }

  private func lines(
    of cells: [Cell], _ shown: [Int], _ widths: [Int], _ isBelow: Bool, _ output: Output
  ) -> [String] {
    var head = String(repeating: " ", count: indent)
    var tail: [String] = []
    for column in shown {
      let (cell, width) = (cells[column], widths[column])
      if column == shown.last, !columns[column].isRight {
        tail = TextWidth.wrapped(cell.text, to: width).map { output.toned($0, cell.tone) }
      } else {
        let text = output.toned(TextWidth.cut(cell.text, to: width), cell.tone)
        head += TextWidth.padded(text, to: width, right: columns[column].isRight)
        if column != shown.last { head += Self.gap }
      }
    }
    if isBelow, tail != [""] { tail.insert("", at: 0) }
    let margin = String(repeating: " ", count: isBelow ? indent + Self.below : TextWidth.of(head))
    if tail.isEmpty { tail = [""] }
    return tail.enumerated().map { place, text in
      var whole = (place == 0 ? head : margin) + text
      while whole.last == " " { whole.removeLast() }
      return output.fit.map { TextWidth.cut(whole, to: $0) } ?? whole
    }
  }

  /// The last column gives way first, for it loses nothing by it.
  /// - Returns: whether they fit.
  private func narrow(_ widths: inout [Int], _ shown: [Int], to fit: Int, wraps: Bool = true) -> Bool {
    let gaps = Self.gap.count * max(0, shown.count - 1)
    var excess = indent + gaps + shown.reduce(0) { $0 + widths[$1] } - fit
    let last = wraps ? shown.last.flatMap { columns[$0].isRight ? nil : $0 } : nil
    func shrink(_ column: Int, to least: Int) {
      let step = max(0, min(excess, widths[column] - least))
      widths[column] -= step
      excess -= step
    }
    if let last { shrink(last, to: Self.readable) }
    while excess > 0 {
      let giving = shown.filter { $0 != last && columns[$0].gives && widths[$0] > Self.least }
      guard let widest = giving.max(by: { widths[$0] < widths[$1] }) else { break }
      let next = giving.filter { $0 != widest }.map { widths[$0] }.max() ?? Self.least
      shrink(widest, to: max(min(next, widths[widest] - 1), Self.least))
    }
    if let last { shrink(last, to: Self.enough) }
    return excess <= 0
  }
}
