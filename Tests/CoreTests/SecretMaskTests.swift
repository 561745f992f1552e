import Core
import Foundation
import Testing

@Suite struct SecretMaskTests {
  private let mask = SecretMask(values: ["s3cret", "s3cret-longer", "a b/c", "abc", ""])

  @Test func `the value, its base64 and its percent form are hidden`() {
    #expect(mask.masked("x s3cret y") == "x *** y")
    #expect(mask.masked(Data("s3cret".utf8).base64EncodedString()) == "***")
    #expect(mask.masked("q=a%20b%2Fc") == "q=***")
  }

  @Test func `of two values the longer is hidden whole`() {
    #expect(mask.masked("s3cret-longer") == "***")
  }

  @Test func `what is too short to be a secret hides no innocent text`() {
    #expect(mask.masked("abc") == "abc")
  }

  @Test func `each line of a secret of several is hidden`() {
    let key = SecretMask(values: ["-----BEGIN-----\nMIIEvQIBADANBg\nend"])
    #expect(key.masked("got MIIEvQIBADANBg") == "got ***")
    #expect(key.masked("the end") == "the end")
  }

  @Test func `texts, lists, maps and their keys are masked, and all else is kept`() {
    let value: JSON = ["s3cret": ["a", "s3cret"], "n": 1, "deep": ["k": "x s3cret"], "none": nil]
    #expect(mask.masked(value) == ["***": ["a", "***"], "n": 1, "deep": ["k": "x ***"], "none": nil])
  }

  @Test(arguments: [
    ("API_TOKEN", true), ("db_password", true), ("AWS_SECRET_ACCESS_KEY", true), ("HOME", false), ("KEYBOARD", false),
  ])
  func `a name says whether its value is a secret`(name: String, isSecret: Bool) {
    #expect(SecretMask.looksSecret(name: name) == isSecret)
  }

  @Test func `a secret is found as JSON writes it, as a terminal shows it, and in bytes that are no text`() throws {
    let secret = "pa\\ss\"wörd"
    let mask = SecretMask(values: [secret])
    #expect(mask.masked(try JSON.string(secret).line()) == "\"***\"")
    #expect(mask.masked("reason: " + Display.escaped(secret)) == "reason: ***")
    #expect(mask.masked([0xFF] + Array(secret.utf8) + [0xFE]) == [0xFF] + Array("***".utf8) + [0xFE])
  }

  @Test(arguments: ["s3cret\u{301}", "s3cret\u{200D}x", "s3cret\u{FE0F}", "\r\ns3cret\r\n"])
  func `what follows a secret makes no other letter of it`(text: String) {
    #expect(!mask.masked(text).utf8.elementsEqual(text.utf8))
    #expect(!mask.masked(text).unicodeScalars.contains("3"))
  }

  @Test func `a mask makes no secret of what stands around it`() {
    let mask = SecretMask(values: ["hidden", "ab***cd", "****"])
    #expect(mask.masked("abhiddencd") == "***")
    #expect(mask.masked("*******") == "***")
  }

  @Test func `two secrets that overlap leave nothing of either`() {
    let mask = SecretMask(values: ["abcdef", "defghi", "ababab"])
    #expect(mask.masked("x abcdefghi y") == "x *** y")
    #expect(mask.masked("abababab") == "***")
  }
}
