import Testing

/// What is said of commands that there are not.
@Suite(.timeLimit(.minutes(2))) struct CommandNamesTests {
  @Test(arguments: [
    (["statsu"], "no command `statsu`; did you mean `penstock status`?"),
    (["statsu", "--json"], "no command `statsu`; did you mean `penstock status`?"),
    (["ls"], "no command `ls`; `penstock help` lists them"),
    (["trials", "strat", "x"], "no command `trials strat`; did you mean `penstock trials start`?"),
    (["hooks", "nothing"], "no command `hooks nothing`; `penstock help hooks` lists them"),
    (["help", "shwo"], "no command `shwo`; did you mean `penstock show`?"),
    (["help", "trials", "sotp"], "no command `trials sotp`; did you mean `penstock trials stop`?"),
  ])
  func `a command that there is not is called one, with what was probably meant`(words: [String], said: String)
    async throws
  {
    let answer = try await Scene([:]).ask(words)
    #expect(answer.code == 2)
    #expect(answer.complaints == "penstock: \(said)\n")
  }

  @Test func `other mistakes are told as before`() async throws {
    let scene = try Scene([:])
    for (words, said) in [
      (["runs", "nothing"], "Unexpected argument 'nothing'"), (["status", "--jsno"], "Unknown option '--jsno'"),
      (["policy", "p", "more"], "Unexpected argument 'more'"),
    ] {
      let answer = try await scene.ask(words)
      #expect(answer.code == 2)
      #expect(answer.complaints.contains(said))
    }
    for words in [["help"], ["help", "trials", "start"], ["--help"], ["help", "ack"], ["help", "help"]] {
      let answer = try await scene.ask(words)
      #expect(answer.code == 0)
      #expect(answer.output.contains("OVERVIEW"))
    }
  }
}
