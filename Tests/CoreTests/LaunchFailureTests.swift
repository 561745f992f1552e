import Core
import Testing

@Suite struct LaunchFailureTests {
  private func words(
    _ step: LaunchFailure.Step, _ code: Int32, _ evidence: LaunchFailure.Evidence? = nil
  ) -> String {
    LaunchFailure(step: step, code: code).words(executable: "/x", directory: "/d", evidence: evidence)
  }

  @Test func `what the file system says makes the words`() {
    #expect(words(.execute, 13, .init(file: .directory)) == "cannot start `/x`: it is a directory")
    #expect(words(.execute, 13, .init(file: .notExecutable)).contains("chmod +x"))
    #expect(words(.execute, 13, .init(file: .executable)).contains("noexec"))
    #expect(
      words(.execute, 2, .init(file: .executable, interpreter: "/py")).contains(
        "asks for `/py`, which is missing"))
    #expect(words(.execute, 2, .init(file: .executable)).contains("loader or interpreter"))
    #expect(words(.execute, 2) == "cannot start `/x`: there is no such file")
  }

  @Test func `every step has words with the path`() {
    for step in LaunchFailure.Step.allCases {
      #expect(words(step, 99).contains("`/x`"))
      #expect(words(step, 99).contains("99"))
    }
  }

  @Test func `a path cannot speak to the terminal`() {
    let failure = LaunchFailure(step: .directory, code: 2)
    #expect(
      failure.words(executable: "/\u{1B}[2J", directory: "/a\nb")
        == "cannot start `/\\x1b[2J` in `/a\\nb`: the directory is missing")
  }
}
