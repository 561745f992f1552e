import Core
import Foundation
import Glibc
import Testing

@testable import Host

/// I18: whatever lies at the inbox's path is the inbox, and the kernel tells when that changes.
@Suite(.serialized, .timeLimit(.minutes(5))) struct InboxReplacedTests {
  /// The watcher sees a drop in the inbox as it is now.
  private func sees(_ watching: Watching, _ name: String) async throws {
    try watching.place.write("inbox/" + name, "x")
    await watching.until { watching.seen.names[FileName(name)] != nil }
  }

  @Test func `I18 an inbox that was moved away is gone until there is one, without any look in between`() async throws {
    let watching = try Watching(Spooled())
    watching.forget()
    #expect(rename(watching.place.path("inbox"), watching.place.path("old")) == 0)
    await watching.until { !watching.watcher.report().troubles.isEmpty }
    #expect(watching.watcher.report().troubles[0].contains("the inbox is gone"))
    #expect(mkdir(watching.place.path("inbox"), 0o755) == 0)
    await watching.until { watching.watcher.report().troubles.isEmpty && watching.seen.scanInbox }
    try await sees(watching, "a")
    // and what is moved back is the inbox again
    #expect(rename(watching.place.path("inbox"), watching.place.path("new")) == 0)
    #expect(rename(watching.place.path("old"), watching.place.path("inbox")) == 0)
    await watching.until { watching.watcher.report().replacements >= 2 }
    try await sees(watching, "b")
    #expect(watching.news.count { if case .troubled = $0 { true } else { false } } <= 2)
  }

  @Test(arguments: [false, true])
  func `I18 an inbox that was removed and made anew is found, also while a shell stands in the old one`(isHeld: Bool)
    async throws
  {
    let watching = try Watching(Spooled())
    let holder = isHeld ? open(watching.place.path("inbox"), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1
    defer { if holder >= 0 { close(holder) } }
    for round in 1...5 {
      watching.forget()
      try watching.place.write("inbox/old", "x")
      try FileManager.default.removeItem(atPath: watching.place.path("inbox"))
      #expect(mkdir(watching.place.path("inbox"), 0o755) == 0)
      // where the new one has the number of the old one only its being scanned tells
      await watching.until { watching.seen.scanInbox && watching.watcher.report().troubles.isEmpty }
      try await sees(watching, "new-\(round)")
    }
  }

  @Test func `I18 a swap by exchange is seen`() async throws {
    let watching = try Watching(Spooled())
    watching.forget()
    #expect(mkdir(watching.place.path("other"), 0o755) == 0)
    try Watching.shell(
      "cd \(watching.place.home) && python3 -c 'import ctypes; libc = ctypes.CDLL(None); exit(libc.renameat2(-100, b\"inbox\", -100, b\"other\", 2))'"
    )
    await watching.until { watching.watcher.report().replacements == 1 }
    try await sees(watching, "a")
  }

  @Test func `I18 a link on the way that is swapped leads to the new inbox`() async throws {
    let place = try Spooled()
    for side in ["one", "two"] { try place.write("\(side)/in/.keep", "") }
    #expect(symlink("one", place.path("now")) == 0)
    let watching = try Watching(place, way: place.path("now/in"))
    watching.forget()
    try Watching.shell("cd \(place.home) && ln -sfn two now")
    await watching.until { watching.watcher.report().replacements == 1 && watching.seen.scanInbox }
    try place.write("two/in/a", "x")
    await watching.until { watching.seen.names[FileName("a")] != nil }
    // a directory above what the link leads to is moved away, and another comes
    #expect(rename(place.path("two"), place.path("three")) == 0)
    await watching.until { !watching.watcher.report().troubles.isEmpty }
    try place.write("two/in/.keep", "")
    await watching.until { watching.watcher.report().troubles.isEmpty }
    try place.write("two/in/b", "x")
    await watching.until { watching.seen.names[FileName("b")] != nil }
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `I18 what is mounted over the inbox is the inbox, until it is unmounted`() async throws {
    let watching = try Watching(Spooled())
    let inbox = watching.place.path("inbox")
    watching.forget()
    for round in 1...2 {
      try Watching.shell("mount -t tmpfs -o size=1m penstock-test \(inbox)")
      await watching.until { watching.seen.scanInbox && watching.watcher.report().filesystem.name == "tmpfs" }
      try await sees(watching, "over-\(round)")
      watching.forget()
      // nothing of ours keeps it from being unmounted
      try Watching.shell("umount \(inbox)")
      await watching.until { watching.seen.scanInbox && watching.watcher.report().filesystem.name != "tmpfs" }
      try await sees(watching, "under-\(round)")
      watching.forget()
    }
    #expect(watching.watcher.report().replacements == 4)
  }

  @Test(.enabled(if: geteuid() == 0, "needs root to mount"))
  func `I18 a directory mounted over itself is looked at anew`() async throws {
    let watching = try Watching(Spooled())
    let inbox = watching.place.path("inbox")
    watching.forget()
    try Watching.shell("mount --bind \(inbox) \(inbox)")
    defer { try? Watching.shell("umount -l \(inbox)") }
    await watching.until { watching.watcher.report().replacements == 1 }
    try await sees(watching, "a")
  }

  @Test func `what others do beside the inbox and above it wakes nobody`() async throws {
    let watching = try Watching(Spooled())
    watching.forget()
    for n in 0..<50 { try watching.place.write("noise-\(n)", "x") }
    try watching.place.write("var/logs/x", "x")
    try await sees(watching, "a")
    #expect(watching.seen.names.count == 1 && !watching.seen.scanInbox && watching.news.isEmpty)
  }
}
