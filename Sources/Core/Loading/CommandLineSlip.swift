/// A command line where a list of a program and its arguments is expected.
enum CommandLineSlip {
  /// What to write instead.
  static func hint(for line: String) -> String {
    if line.contains(where: { "|&;<>()`\"'\\*?~\n".contains($0) }) || line.contains("$(") {
      return "no shell reads it: put it into a script of its own, or write `[sh, -c, '…']`"
    }
    let words = line.split(separator: " ").map { word in
      word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./".contains($0)) }
        ? String(word) : "\"\(word)\""
    }
    return "write `[\(Display.brief(words.joined(separator: ", ")))]`"
  }
}
