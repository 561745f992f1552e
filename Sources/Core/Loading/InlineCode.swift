/// A program that an argument of `run` holds, as that behind `sh -c` is one: what is filled in there is read as code.
struct InlineCode {
  /// Its place among the words.
  let index: Int
  /// How the code names the first argument that follows it.
  let argument: String
  /// What such an argument is preceded by: `sh -c CODE NAME ARGUMENT`.
  let before: String?

  /// - Parameter words: a program and its arguments.
  /// - Returns: `nil` where no argument is known to be code.
  init?(in words: [String]) {
    // env may stand before it
    guard let start = words.prefix(2).firstIndex(where: { Self.language(of: $0) != nil }),
      let language = Self.language(of: words[start])
    else { return nil }
    for index in words.indices.dropFirst(start + 1) {
      // `bash -o pipefail -c CODE`
      if words[index - 1].hasPrefix("-"), words[index - 1].hasSuffix("o") { continue }
      guard words[index].hasPrefix("-"), !words[index].hasPrefix("--") else { return nil }
      guard words[index].hasSuffix(language.option), index + 1 < words.count else { continue }
      (self.index, argument, before) = (index + 1, language.argument, language.before)
      return
    }
    return nil
  }

  private typealias Language = (option: String, argument: String, before: String?)

  private static func language(of program: String) -> Language? {
    let name = program.split(separator: "/").last.map(String.init) ?? program
    let bare = name.prefix { !$0.isNumber && $0 != "." }
    switch bare {
    case "sh", "bash", "dash", "zsh", "ksh": return ("c", "\"$1\"", name)
    case "python": return ("c", "sys.argv[1]", nil)
    case "perl": return ("e", "$ARGV[0]", nil)
    case "ruby": return ("e", "ARGV[0]", nil)
    case "node": return ("e", "process.argv[1]", nil)
    default: return nil
    }
  }

  /// What to write instead of `reference`, which stands in the code.
  func advice(for reference: String) -> String {
    let words = (before.map { [$0] } ?? []) + ["\"\(reference)\""]
    return "write `\(argument)` there, and after the code `, \(words.joined(separator: ", "))`"
  }
}
