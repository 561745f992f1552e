import Core
import Foundation
import Glibc
@testable import Host
import Testing

@Suite struct ProducerTests {
  @Test func `a file is put whole under its name, and its source stays`() throws {
    let place = try Spooled()
    try place.write("data/a.csv", "whole")
    #expect(
      try Producer(inbox: place.path("inbox")).put(FileName(place.path("data/a.csv")), as: FileName("b.csv")) == 5)
    #expect(place.text("inbox/b.csv") == "whole" && place.text("data/a.csv") == "whole")
    #expect(place.names("inbox") == ["b.csv"])
  }

  /// A drop that is closed only after it has its name looks like one that is still being written: it would settle.
  @Test func `the name appears when the file is closed, as a rename and nothing else`() throws {
    let place = try Spooled()
    try place.write("data/a.csv", "whole")
    let watch = inotify_init1(Int32(IN_NONBLOCK))
    defer { close(watch) }
    let mask = UInt32(IN_MOVED_TO | IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE)
    #expect(inotify_add_watch(watch, place.path("inbox"), mask) > 0)
    _ = try Producer(inbox: place.path("inbox")).put(FileName(place.path("data/a.csv")), as: FileName("a.csv"))
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    let got = read(watch, &buffer, buffer.count)
    let events = InotifyEvent.parse(buffer[..<max(0, got)]).filter { $0.name == FileName("a.csv") }
    #expect(events.map(\.mask) == [UInt32(IN_MOVED_TO)])
  }

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func `what root puts belongs to whom the inbox does`() throws {
    let place = try Spooled()
    try place.write("data/a.csv", "whole")
    #expect(chown(place.path("inbox"), 65534, 65534) == 0)
    _ = try Producer(inbox: place.path("inbox")).put(FileName(place.path("data/a.csv")), as: FileName("a.csv"))
    var status = stat()
    #expect(stat(place.path("inbox/a.csv"), &status) == 0 && status.st_uid == 65534 && status.st_gid == 65534)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test(arguments: ["", ".hidden", "a.part", "a/b", String(repeating: "n", count: 256)])
  func `a name the agent would pass over is refused`(name: String) throws {
    let place = try Spooled()
    try place.write("data/a", "x")
    #expect(throws: HostError.self) {
      try Producer(inbox: place.path("inbox")).put(FileName(place.path("data/a")), as: FileName(name))
    }
    #expect(place.names("inbox").isEmpty)
  }

  @Test func `what cannot be read, and a name that waits there, leave nothing behind`() throws {
    let place = try Spooled()
    try place.write("inbox/a", "first")
    try place.write("data/a", "second")
    let producer = try Producer(inbox: place.path("inbox"))
    for source in ["data/a", "data", "nothing"] {
      #expect(throws: HostError.self) { try producer.put(FileName(place.path(source)), as: FileName("a")) }
    }
    #expect(place.names("inbox") == ["a"] && place.text("inbox/a") == "first")
  }
}

@Suite struct WorkspaceTests {
  @Test func `it is found as asked, by PENSTOCK_HOME, then above the current directory`() throws {
    let (one, two) = (try Spooled(), try Spooled())
    for place in [one, two] { try place.write("etc/penstock.yaml", "") }
    try one.write("deep/er/file", "")
    func find(_ asked: String?, _ home: String?, _ current: String) throws -> String {
      try Workspace.find(asked: asked, environment: home.map { ["PENSTOCK_HOME": $0] } ?? [:], current: current).home
    }
    #expect(try find(one.home, two.home, "/") == one.home)
    #expect(try find(nil, two.home, one.home) == two.home)
    #expect(try find(nil, nil, one.path("deep/er")) == one.home)
    #expect(try find(nil, "", one.path("deep")) == one.home)
    if access("/etc/penstock.yaml", F_OK) != 0 { #expect(throws: HostError.self) { try find(nil, nil, "/") } }
    #expect(throws: HostError.self) { try find("/nowhere", nil, one.home) }
    #expect(throws: HostError.self) { try find(one.path("deep"), nil, one.home) }
  }

  @Test func `its state is private, and one that others prepared is refused`() throws {
    let place = try Spooled()
    let workspace = try #require(Workspace(at: place.home))
    #expect(chmod(place.path("var"), 0o777) == 0)
    try workspace.prepareState()
    var status = stat()
    #expect(stat(place.path("var"), &status) == 0 && status.st_mode & 0o777 == 0o700)
    #expect(rename(place.path("var"), place.path("real")) == 0 && symlink("real", place.path("var")) == 0)
    #expect(throws: HostError.self) { try workspace.prepareState() }
  }

  @Test func `the machine says its boot, and its monotonic clock goes forward`() {
    #expect(Machine.bootID().count == 36)
    let first = Machine.monotonic()
    #expect(Machine.monotonic() >= first && first > .zero)
    #expect(Machine.pid == getpid() && access(Machine.programDirectory(), F_OK) == 0)
  }
}
