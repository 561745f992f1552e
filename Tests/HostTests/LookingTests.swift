import Core
import Foundation
import Glibc
@testable import Host
import Testing

@Suite struct LookingTests {
  @Test func `what is no regular file is named and never opened`() throws {
    let place = try Spooled()
    #expect(mkfifo(place.path("inbox/pipe"), 0o600) == 0)
    #expect(symlink("/etc/shadow", place.path("inbox/link")) == 0)
    #expect(mkdir(place.path("inbox/dir"), 0o700) == 0)
    // a look that opened the pipe would never return
    let kinds = try ["pipe", "link", "dir", "missing"].map { try place.spool.inboxDirectory.look(at: FileName($0)) }
    guard case .special("named pipe", _) = kinds[0], case .special("symbolic link", _) = kinds[1] else {
      Issue.record("\(kinds)")
      return
    }
    #expect(kinds[2] == .directory && kinds[3] == .gone)
  }

  @Test func `the kernel tells whether anybody has it open for writing, under whatever name`() throws {
    let place = try Spooled()
    try place.write("inbox/a", "x")
    #expect(link(place.path("inbox/a"), place.path("other")) == 0)
    func openness() throws -> Openness? {
      if case .file(_, let openness) = try place.spool.inboxDirectory.look(at: FileName("a")) { openness } else { nil }
    }
    #expect(try openness() == .closed)
    let writer = open(place.path("other"), O_WRONLY)
    #expect(try openness() == .openForWriting)
    close(writer)
    let reader = open(place.path("inbox/a"), O_RDONLY)
    #expect(try openness() == .closed)
    close(reader)
  }

  @Test func `an inbox that is replaced is the inbox`() throws {
    let place = try Spooled()
    let inbox = try InboxPlace(path: place.path("inbox"))
    #expect(inbox.attach() == .same)
    #expect(rename(place.path("inbox"), place.path("old")) == 0)
    #expect(inbox.attach() == .missing)
    #expect(mkdir(place.path("inbox"), 0o755) == 0)
    try place.write("inbox/new", "x")
    #expect(inbox.attach() == .replaced && inbox.attach() == .same)
    var names: [FileName] = []
    try inbox.directory.forEachName { names.append($0) }
    #expect(names == [FileName("new")])
  }
}
