import Core

/// What a command answers: one value for programs, words for people.
protocol Answer {
  func json() -> JSON
  func lines(_ output: Output) -> [String]
}

/// The forms an answer is given in.
enum AnswerForm {
  case json
  case words
}

extension Place {
  var form: AnswerForm { json ? .json : .words }

  /// The one place where results are written.
  func give(_ answer: some Answer) throws {
    switch form {
    case .json: try Output.print(answer.json())
    case .words: Output.print(answer.lines(.standard()).joined(separator: "\n"))
    }
  }
}
