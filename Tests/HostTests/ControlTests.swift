import Core
import Foundation
import Glibc
import Host
import Testing

@Suite(.timeLimit(.minutes(5))) struct ControlTests {
  private func serving(
    _ place: Spooled, _ answer: @escaping @Sendable (String) -> String,
    _ body: @escaping @Sendable (String) async throws -> Void
  ) async throws {
    let reactor = try Reactor()
    let path = place.path("var/penstock.sock")
    let server = try ControlServer(path: path, reactor: reactor)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await call in server.incoming { call.answer(answer(String(decoding: call.line, as: UTF8.self))) }
      }
      try await body(path)
      server.stop()
    }
    reactor.stop()
    #expect(access(path, F_OK) != 0)
  }

  @Test func `a line is asked and a line is answered`() async throws {
    let place = try Spooled()
    try await serving(place, { "got " + $0 }) { path in
      let short = try await ask("ping", at: path)
      #expect(short == "got ping")
      let long = String(repeating: "x", count: 500_000)
      let answer = try await ask(long, at: path)
      #expect(answer == "got " + long)
      var status = stat()
      #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func `without an agent there is no answer, also where a dead one left its socket`() async throws {
    let place = try Spooled()
    let path = place.path("var/penstock.sock")
    #expect(try await ask("ping", at: path) == nil)
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #expect(bindUnix(fd, path) == 0)
    close(fd)
    #expect(try await ask("ping", at: path) == nil)
    try await serving(place, { $0 }) { path in
      let answer = try await ask("ping", at: path)
      #expect(answer == "ping")
    }
  }

  @Test func `a socket that somebody removes is made anew, and serves`() async throws {
    let place = try Spooled()
    try await serving(place, { "got " + $0 }) { path in
      for _ in 0..<3 {
        unlink(path)
        while access(path, F_OK) != 0 { await Task.yield() }
        let answer = try await ask("ping", at: path)
        #expect(answer == "got ping")
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      }
    }
  }

  @Test func `a caller who says nothing, too much, or leaves keeps nobody else waiting`() async throws {
    let place = try Spooled()
    try await serving(place, { $0 }) { path in
      let silent = connected(path)
      let loud = connected(path)
      let gone = connected(path)
      close(gone)
      let much = [UInt8](repeating: 0x78, count: 64 << 10)
      var sent = 0
      while sent < 3 << 20 {
        let put = send(loud, much, much.count, Int32(MSG_NOSIGNAL))
        if put <= 0 { break }
        sent += put
      }
      // more than a request may be, and hung up on
      #expect(sent < 3 << 20)
      let answer = try await ask("ping", at: path)
      #expect(answer == "ping")
      close(silent)
      close(loud)
    }
  }

  @Test func `a path longer than an address is reached all the same`() async throws {
    let place = try Spooled()
    let deep = "var/" + String(repeating: "d", count: 120)
    #expect(mkdir(place.path(deep), 0o700) == 0)
    let reactor = try Reactor()
    defer { reactor.stop() }
    let path = place.path(deep + "/penstock.sock")
    let server = try ControlServer(path: path, reactor: reactor)
    #expect(access(path, F_OK) == 0)
    server.stop()
    #expect(access(path, F_OK) != 0)
  }

  private func address(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    return address
  }

  private func bindUnix(_ fd: Int32, _ path: String) -> Int32 {
    var address = address(path)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }

  private func connected(_ path: String) -> Int32 {
    let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = address(path)
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(code == 0)
    return fd
  }
}
