import ArgumentParser
import Core

/// The names of commands, and what was probably meant by one that there is not.
///
/// ArgumentParser calls a command that it does not know an unexpected argument, and gives the general help where help
/// for it is asked.
struct CommandNames {
  let root: any ParsableCommand.Type

  /// - Parameters:
  ///   - words: those behind the program's own name.
  ///   - said: what ArgumentParser says of them.
  /// - Returns: `nil` where something else is wrong.
  func complaint(about words: [String], said: String) -> String? {
    guard let unknown = unknown(in: words[...]) else { return nil }
    // below the root it may be a word for the command that is meant where none is named
    let isCommand = unknown.group.isEmpty || said.contains("nexpected argument") && said.contains("'\(unknown.word)'")
    return isCommand ? complaint(about: unknown) : nil
  }

  /// What is wrong with `penstock help …`; `nil` where nothing is.
  func complaint(aboutHelp words: [String]) -> String? {
    guard words.first == "help", let unknown = unknown(in: words.dropFirst()) else { return nil }
    return complaint(about: unknown)
  }

  private typealias Unknown = (group: [String], word: String, names: [String])

  /// Follows the words to the first that names no command where one must stand.
  private func unknown(in words: ArraySlice<String>) -> Unknown? {
    var (group, names): ([String], [String]) = ([], [])
    var type = root
    for word in words where !type.configuration.subcommands.isEmpty {
      if word.hasPrefix("-") { return nil }
      let next = type.configuration.subcommands.first { ([$0._commandName] + $0.configuration.aliases).contains(word) }
      names = type.configuration.subcommands.flatMap { [$0._commandName] + $0.configuration.aliases }
      guard let next else { return word == "help" ? nil : (group, word, names) }
      group.append(word)
      type = next
    }
    return nil
  }

  private func complaint(about unknown: Unknown) -> String {
    let whole = (["penstock"] + unknown.group).joined(separator: " ")
    let hint = Nearest.name(to: unknown.word, among: unknown.names).map { "did you mean `\(whole) \($0)`?" }
    return "no command `\(Display.brief((unknown.group + [unknown.word]).joined(separator: " ")))`; "
      + (hint ?? "`\((["penstock", "help"] + unknown.group).joined(separator: " "))` lists them")
  }
}
