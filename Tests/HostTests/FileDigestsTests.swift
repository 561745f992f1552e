import Core
import Foundation
import Glibc
import Testing

@testable import Host

/// Digests of files that are read once.
@Suite struct FileDigestsTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "penstock-digest-\(UUID().uuidString)").path

  private func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

  @Test func `a file that is written to in place, as long as before, has another digest at once`() throws {
    defer { unlink(path) }
    let digests = FileDigests()
    try write("a")
    var expected: [String] = []
    var found: [String?] = []
    for n in 0..<2000 {
      let text = "\(n % 10)"
      let fd = open(path, O_WRONLY)
      _ = pwrite(fd, text, 1, 0)
      close(fd)
      expected.append(digests.digest(of: Array(text.utf8)))
      found.append(try digests.digest(ofFile: path))
    }
    #expect(found == expected)
  }

  @Test func `what did not change is not read again`() throws {
    defer { unlink(path) }
    let digests = FileDigests()
    try write("one")
    // older than the clock that stamps files may lag
    let old = timespec(tv_sec: 1_000_000_000, tv_nsec: 0)
    #expect(utimensat(AT_FDCWD, path, [old, old], 0) == 0)
    let expected = digests.digest(of: Array("one".utf8))
    #expect(try until(digests, expected))
  }

  /// Whether the digest is remembered once the last change is long enough ago: then a file nobody may read has it too.
  private func until(_ digests: FileDigests, _ expected: String) throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
      #expect(try digests.digest(ofFile: path) == expected)
      if digests.isRemembered(path) { return true }
      usleep(1000)
    }
    return false
  }

  @Test func `nothing is nil, and what is no file is refused`() throws {
    let digests = FileDigests()
    #expect(try digests.digest(ofFile: "/nowhere/at/all") == nil)
    #expect(try digests.digest(ofFile: "/etc/passwd/x") == nil)
    #expect(throws: HostError.self) { try digests.digest(ofFile: "/tmp") }
    #expect(throws: HostError.self) { try digests.digest(ofFile: "/dev/null") }
  }
}
