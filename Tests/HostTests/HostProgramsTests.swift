import Core
import Foundation
import Glibc
import Host
import Testing

@Suite struct HostProgramsTests {
  private func programs(_ place: Spooled) -> HostPrograms {
    HostPrograms(home: place.home, path: "relative:/usr/bin:/bin")
  }

  @Test func `P10 hooks come in C order with what speaks against each`() throws {
    let place = try Spooled()
    for (name, mode) in [
      ("b", 0o755), ("B", 0o755), ("10", 0o755), ("2", 0o755), ("README.md", 0o644), (".hidden", 0o755),
      ("x.bak", 0o755), ("plain", 0o644), ("open", 0o757), ("group", 0o775),
    ] {
      try place.write("hooks/before-run.d/\(name)", "#!/bin/sh\n", mode: mode)
    }
    let found = programs(place).hooks(of: "before-run")
    #expect(
      found.map(\.shown) == ["10", "2", "B", "b", "group", "open", "plain", "x.bak"].map { "hooks/before-run.d/" + $0 })
    let refused = Dictionary(uniqueKeysWithValues: found.map { (($0.shown as NSString).lastPathComponent, $0.refusal) })
    #expect(refused["plain"]??.contains("chmod +x") == true && refused["open"]??.contains("writable by others") == true)
    #expect(refused["x.bak"]??.contains("backup") == true && refused["group"] == .some(nil))
    #expect(found[4].warning == "is writable by its group" && found[0].warning == nil)
    #expect(found[0].sha256?.count == 64)
    #expect(programs(place).hooks(of: "after-run").isEmpty)
  }

  @Test(.timeLimit(.minutes(1)))
  func `P10 what is remembered of a hook ends with any change of it, its directory or what lies above`() async throws {
    let place = try Spooled()
    try place.write("hooks/before-run.d/a", "#!/bin/sh\n", mode: 0o755)
    let programs = programs(place)
    // until then nothing is remembered
    try await Task.sleep(for: .milliseconds(50))
    func found() -> [ProgramFile] { programs.hooks(of: "before-run") }
    for _ in 0..<2 { #expect(found().map(\.refusal) == [nil]) }
    let digest = try #require(found().first?.sha256)
    try place.write("hooks/before-run.d/a", "#!/bin/bash\n", mode: 0o755)
    #expect(found().first.map { $0.sha256 != digest && $0.refusal == nil } == true)
    #expect(chmod(place.path("hooks/before-run.d/a"), 0o644) == 0)
    #expect(found().first?.refusal?.contains("chmod +x") == true)
    #expect(chmod(place.path("hooks/before-run.d/a"), 0o755) == 0)
    try await Task.sleep(for: .milliseconds(50))
    for _ in 0..<2 { #expect(found().map(\.refusal) == [nil]) }
    #expect(chmod(place.path("hooks"), 0o777) == 0)
    #expect(found().first?.refusal?.contains("which is writable by others") == true)
    #expect(chmod(place.path("hooks"), 0o755) == 0)
    #expect(found().map(\.refusal) == [nil])
    try place.write("hooks/before-run.d/b", "#!/bin/sh\n", mode: 0o755)
    #expect(found().map(\.refusal) == [nil, nil])
    #expect(unlink(place.path("hooks/before-run.d/a")) == 0)
    #expect(found().map(\.shown) == ["hooks/before-run.d/b"])
  }

  @Test func `P10 a hook whose name is no text is refused and not passed over in silence`() throws {
    let place = try Spooled()
    try place.write("hooks/before-run.d/a", "#!/bin/sh\n", mode: 0o755)
    let target = Array(place.path("hooks/before-run.d/").utf8) + [0xFF, 0]
    _ = target.withUnsafeBufferPointer {
      $0.withMemoryRebound(to: CChar.self) { name in name.baseAddress.map { symlink("/bin/true", $0) } }
    }
    let found = programs(place).hooks(of: "before-run")
    #expect(
      found.count == 2 && found[1].shown == "hooks/before-run.d/\\xff"
        && found[1].refusal?.contains("not UTF-8") == true)
  }

  @Test func `P10 a program beneath a directory that others may write to is refused, through a link too`() throws {
    let place = try Spooled()
    try place.write("bin/safe", "#!/bin/sh\n", mode: 0o755)
    try place.write("open/p", "#!/bin/sh\n", mode: 0o755)
    #expect(chmod(place.path("open"), 0o777) == 0)
    #expect(symlink(place.path("bin/safe"), place.path("open/link")) == 0)
    #expect(symlink(place.path("open/p"), place.path("bin/link")) == 0)
    for path in ["open/p", "open/link", "bin/link"] {
      #expect(
        programs(place).resolve("./" + path, hashing: false).refusal?.contains("which is writable by others") == true,
        "\(path)")
    }
    #expect(programs(place).resolve("./bin/safe", hashing: false).refusal == nil)
    // a sticky one, as /tmp is, lets nobody replace what is not theirs
    #expect(chmod(place.path("open"), 0o1777) == 0)
    #expect(programs(place).resolve("./open/p", hashing: false).refusal == nil)
  }

  @Test func `P10 what was found to be safe is refused as soon as it is not, also behind a link`() throws {
    let place = try Spooled()
    for name in ["bin/p", "open/p"] { try place.write(name, "#!/bin/sh\n", mode: 0o755) }
    #expect(symlink(place.path("bin"), place.path("way")) == 0)
    #expect(symlink(place.path("bin/p"), place.path("link")) == 0)
    let programs = programs(place)
    func refusals() -> [Bool] {
      ["bin/p", "way/p", "link"].map { programs.resolve("./" + $0, hashing: false).refusal != nil }
    }
    #expect(refusals() == [false, false, false])
    #expect(chmod(place.path("bin"), 0o777) == 0)
    #expect(refusals() == [true, true, true])
    #expect(chmod(place.path("bin"), 0o755) == 0 && chmod(place.path("open"), 0o777) == 0)
    #expect(refusals() == [false, false, false])
    for (link, target) in [("way", "open"), ("link", "open/p")] {
      #expect(unlink(place.path(link)) == 0 && symlink(place.path(target), place.path(link)) == 0)
    }
    #expect(refusals() == [false, true, true])
    #expect(chmod(place.path("bin/p"), 0o757) == 0)
    #expect(refusals() == [true, true, true])
  }

  @Test func `a name without a slash is found on PATH, and one with a slash in the workspace`() throws {
    let place = try Spooled()
    try place.write("sh", "#!/bin/sh\n", mode: 0o755)
    #expect(programs(place).resolve("sh", hashing: false).path == "/usr/bin/sh")
    #expect(programs(place).resolve("./sh", hashing: false).path == place.path("sh"))
    #expect(programs(place).resolve("/bin/sh", hashing: false).path == "/bin/sh")
    #expect(
      programs(place).resolve("no-such-program-here", hashing: false).refusal
        == "no such program on PATH: install it, or write its path")
    #expect(programs(place).resolve("./nothing", hashing: false).refusal == "no such file")
    #expect(programs(place).resolve("./inbox", hashing: false).refusal == "is a directory")
    #expect(programs(place).resolve("", hashing: false).refusal == "no program is named")
  }
}
