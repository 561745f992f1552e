import Core
import Foundation
import Glibc
import Host
import Testing

@Suite struct SpawnerFailureTests {
  private func words(_ make: (SpawnerFixture) throws -> ProgramRequest) async throws -> String {
    try await SpawnerFixture.with { fixture in
      let request = try make(fixture)
      let result = try await fixture.runner.run(request)
      #expect(result.ending == .itself)
      // And the spawner is well.
      #expect(try await fixture.runner.run(fixture.program("/bin/true")).termination == .exited(0))
      let words = try #require(result.unstarted)
      return words.replacing(fixture.directory, with: "DIR")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a missing program`() async throws {
    #expect(
      try await words { $0.program($0.path("nope")) } == "cannot start `DIR/nope`: there is no such file")
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a file that is not executable`() async throws {
    #expect(
      try await words { $0.program(try $0.file("plain", "#!/bin/sh\n", mode: 0o644)) }
        == "cannot start `DIR/plain`: it is not executable; `chmod +x` makes it so")
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a directory`() async throws {
    #expect(
      try await words { $0.program($0.directory) } == "cannot start `DIR`: it is a directory")
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a missing interpreter`() async throws {
    #expect(
      try await words { $0.program(try $0.file("script", "#! /no/such/python -u\n")) }
        == "cannot start `DIR/script`: its first line asks for `/no/such/python`, which is missing")
  }

  @Test(.timeLimit(.minutes(5)), arguments: ["echo hi\n", "", "\u{7F}ELF"])
  func `P08 a file that is no program`(content: String) async throws {
    #expect(
      try await words { $0.program(try $0.file("text", content)) }
        == "cannot start `DIR/text`: it is no program for this machine, and no script: a script begins with `#!`"
    )
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a program for another kind of machine`() async throws {
    // the head of an ELF file for a VAX, elf(5)
    let head: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 1, 1, 1] + [UInt8](repeating: 0, count: 9) + [2, 0, 75, 0]
    let text = String(decoding: head, as: UTF8.self) + String(repeating: "\0", count: 100)
    #expect(
      try await words { $0.program(try $0.file("vax", text)) }
        == "cannot start `DIR/vax`: it is built for another kind of machine (machine 75 of elf(5))")
  }

  @Test(.timeLimit(.minutes(5))) func `P08 a directory to work in that is missing`() async throws {
    #expect(
      try await words { fixture in
        fixture.program("/bin/true").with { $0.directory = fixture.path("gone") }
      } == "cannot start `/bin/true` in `DIR/gone`: the directory is missing")
  }

  @Test(.timeLimit(.minutes(5))) func `P11 arguments over what the kernel takes`() async throws {
    let one = try await words { $0.program("/bin/true", [String(repeating: "x", count: 200_000)]) }
    #expect(one.contains("too long together, or one is over 128 KiB (E2BIG, error 7)"))
    let many = try await words {
      $0.program("/bin/true", Array(repeating: String(repeating: "x", count: 1000), count: 10_000))
    }
    #expect(many == one)
  }

  @Test(.timeLimit(.minutes(5))) func `P11 an environment of 1 MB is passed`() async throws {
    try await SpawnerFixture.with { fixture in
      var request = fixture.program("/usr/bin/env")
      for index in 0..<10 { request.environment["BIG\(index)"] = String(repeating: "x", count: 100_000) }
      let result = try await fixture.runner.run(request)
      #expect(result.termination == .exited(0))
      #expect(result.reply.count > 1_000_000)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a NUL byte in an argument`() async throws {
    #expect(
      try await words { $0.program("/bin/true", ["a\0b"]) }.contains("`a\\x00b` contains a NUL byte"))
  }

  @Test(.timeLimit(.minutes(5))) func `P09 a program that is still being written is tried again`()
    async throws
  {
    try await SpawnerFixture.with { fixture in
      let path = fixture.path("busy")
      try FileManager.default.copyItem(atPath: "/bin/true", toPath: path)
      let writer = HeldDescriptor()
      writer.open(path)
      try #require(writer.isOpen)
      let busy = try await fixture.runner.run(fixture.program(path))
      #expect(
        busy.unstarted?.hasSuffix("somebody still has it open for writing; four tries in one second") == true)
      #expect(busy.usage.wall >= 0.75)
      #expect(busy.usage.wall < 5)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `P09 a program that was written meanwhile runs`() async throws {
    try await SpawnerFixture.with { fixture in
      let path = fixture.path("busy")
      try FileManager.default.copyItem(atPath: "/bin/true", toPath: path)
      let writer = HeldDescriptor()
      writer.open(path)
      try #require(writer.isOpen)
      // Well after the first try and well before the last.
      _ = fixture.reactor.after(.milliseconds(400)) { writer.letGo() }
      let result = try await fixture.runner.run(fixture.program(path))
      #expect(result.termination == .exited(0))
      #expect(result.usage.wall >= 0.4)
    }
  }

  @Test(.timeLimit(.minutes(5))) func `a spawner that is not there`() async throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let runner = SpawnerRunner(spawner: "/no/such/penstock-spawner", reactor: reactor)
    let error = await #expect(throws: SpawnerMissing.self) {
      try await runner.run(
        ProgramRequest(executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/"))
    }
    #expect(
      error?.description
        == "cannot start the spawner `/no/such/penstock-spawner`: no such file or directory (error 2); "
        + "put `penstock-spawner` back beside `penstock`")
  }

  @Test(.timeLimit(.minutes(5))) func `a program that is no spawner`() async throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let runner = SpawnerRunner(spawner: "/bin/true", reactor: reactor)
    await #expect(throws: SpawnerGone.self) {
      try await runner.run(
        ProgramRequest(executable: "/bin/true", arguments: ["true"], environment: [:], directory: "/"))
    }
  }
}
