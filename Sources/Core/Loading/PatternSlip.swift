/// What people write for a pattern of names who think of a shell.
enum PatternSlip {
  static let many =
    "a pipeline has one pattern: a second file with `extends:` and a `trigger` of its own takes the others"

  /// What to write instead of a pattern that is none; `nil` where nothing is known.
  static func hint(for text: String) -> String? {
    if text.contains("/") {
      let name = text.split(separator: "/").last.map(String.init) ?? "*.csv"
      return "write `\(Display.brief(name))`: drops come from `inbox/` alone, which may be a link to another directory"
    }
    let braces = text.split(separator: "{").dropFirst().compactMap { $0.split(separator: "}").first }
    return braces.contains { $0.contains(",") } ? "there are no alternatives: \(many)" : nil
  }

  /// What a valid pattern probably does not mean; `nil` where it is plain.
  static func warning(for text: String) -> String? {
    guard let open = text.firstIndex(of: "["), let close = text[open...].dropFirst().firstIndex(of: "]") else {
      return nil
    }
    let set = text[open...close]
    return "`\(Display.brief(String(set)))` stands for itself, brackets and all, not for one of its letters"
  }
}
