import Core
import Testing

@Suite struct NamePatternTests {
  /// Tries every way to cut the name.
  private func matches(_ pattern: Substring, _ name: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    switch first {
    case "*": return (name.startIndex...name.endIndex).contains { matches(pattern.dropFirst(), name[$0...]) }
    case "?": return !name.isEmpty && matches(pattern.dropFirst(), name.dropFirst())
    case "{":
      let rest = pattern[(pattern.firstIndex(of: "}") ?? pattern.endIndex)...].dropFirst()
      return name.indices.contains { matches(rest, name[($0 + 1)...]) }
    default: return name.first == first.asciiValue && matches(pattern.dropFirst(), name.dropFirst())
    }
  }

  @Test func `matching agrees with trying everything`() throws {
    var chance = Seeded(5)
    var met = 0
    for _ in 0..<4000 {
      var captures = 0
      let pattern = (0..<Int.random(in: 1...6, using: &chance)).map { _ -> String in
        let part = ["a", "b", "-", "*", "?", "{"].randomElement(using: &chance) ?? "a"
        guard part == "{" else { return part }
        captures += 1
        return "{c\(captures)}"
      }.joined()
      let name = (0..<Int.random(in: 0...7, using: &chance)).map { _ in
        UInt8(ascii: "a") + UInt8.random(in: 0...1, using: &chance)
      }
      let parsed = try NamePattern(pattern)
      let caught = parsed.captures(of: FileName(name))
      let expected = matches(pattern[...], name[...])
      #expect((caught != nil) == expected, "\(pattern) on \(name)")
      #expect((parsed.distance(to: FileName(name)) == 0) == expected, "\(pattern) on \(name)")
      if let caught {
        met += 1
        #expect(Set(caught.keys) == Set(parsed.captureNames))
        #expect(caught.values.allSatisfy { !$0.isEmpty })
      }
    }
    #expect(met > 200)
  }

  @Test func `captures take as little as they can`() throws {
    let caught = try NamePattern("{a}-{b}.csv").captures(of: FileName("x-y-z.csv"))
    #expect(caught == ["a": "x", "b": "y-z"])
    #expect(try NamePattern("{a}.csv").captures(of: FileName([0xFF] + Array(".csv".utf8))) == ["a": "\\xff"])
  }

  @Test(.timeLimit(.minutes(5))) func `a pattern made to be slow is not`() throws {
    let pattern = try NamePattern(String(repeating: "*a", count: 60) + "b")
    #expect(pattern.captures(of: FileName(String(repeating: "a", count: 255))) == nil)
  }

  @Test(arguments: [
    ("", "the pattern is empty"), ("a{b", "`{` is never closed"),
    ("{}", "`{}` is no name: use letters, digits and `_`"),
    ("{a}{a}", "`{a}` stands twice"), ("a}", "`}` without `{`"), ("a/b", "`/` cannot be part of a file name"),
  ])
  func `what is no pattern is refused in words`(text: String, reason: String) {
    #expect(throws: NamePattern.Malformed(reason: reason)) { try NamePattern(text) }
  }
}
