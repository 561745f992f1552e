import Core
import Testing

@Suite struct StagePatternTests {
  @Test(arguments: [
    ("train", "train", true), ("train", "train2", false), ("train", "", false), ("*", "train", true), ("*", "", true),
    ("train-*", "train-a", true), ("train-*", "train-", true), ("train-*", "train", false), ("*-b", "a-b", true),
    ("a*c*e", "abcde", true), ("a*c*e", "ace", true), ("a*c*e", "aec", false), ("ab*ab", "ab", false),
    ("ab*ab", "abab", true), ("**", "x", true), ("a*b*b", "ab", false), ("a*b*b", "abb", true),
  ])
  func `a star stands for any text`(pattern: String, name: String, matches: Bool) {
    #expect(StagePattern(pattern).matches(name) == matches)
  }
}
