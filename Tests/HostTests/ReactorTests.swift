import CSystem
import Foundation
import Glibc
import Host
import Testing

@Suite struct ReactorTests {
  private func pipe() throws -> (read: Descriptor, write: Descriptor) {
    var ends: [Int32] = [-1, -1]
    try SystemError.check(pipe_for_program(&ends), "make a pipe")
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  @Test(.timeLimit(.minutes(5))) func `a ready descriptor calls its handler, and its end is told`()
    async throws
  {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let (reading, writing) = try pipe()
    let (heard, hear) = AsyncStream<(Int, Bool)>.makeStream()
    _ = try reactor.register(reading.number, for: .readable) { readiness in
      var byte: UInt8 = 0
      let count = read(reading.number, &byte, 1)
      hear.yield((count, readiness.contains(.ended)))
      if count == 0 { hear.finish() }
      if count == 0 { reading.close() }
    }
    write(writing.number, "ab", 2)
    var all: [(Int, Bool)] = []
    for await one in heard {
      all.append(one)
      if all.count == 2 { writing.close() }
    }
    #expect(all.map(\.0) == [1, 1, 0])
    #expect(all.last?.1 == true)
  }

  @Test(.timeLimit(.minutes(5))) func `a cancelled registration is silent, also within one batch`()
    async throws
  {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let (first, firstEnd) = try pipe()
    let (second, secondEnd) = try pipe()
    let log = Log()
    let registrations = Registrations()
    for (name, descriptor) in [("first", first), ("second", second)] {
      registrations.add(
        try reactor.register(descriptor.number, for: .readable) { _ in
          log.add(name)
          for registration in registrations.takeAll() { reactor.cancel(registration) }
        })
    }
    // Both are ready before the loop looks.
    await withCheckedContinuation { continuation in
      reactor.perform {
        write(firstEnd.number, "x", 1)
        write(secondEnd.number, "x", 1)
        _ = reactor.after(.milliseconds(50)) { continuation.resume() }
      }
    }
    #expect(log.entries.count == 1)
  }

  @Test(.timeLimit(.minutes(5))) func `jobs keep their order and run on one thread`() async throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let log = Log()
    await withCheckedContinuation { continuation in
      for index in 0..<100 { reactor.perform { log.add("\(index) \(pthread_self())") } }
      reactor.perform {
        reactor.perform { continuation.resume() }
        log.add("100 \(pthread_self())")
      }
    }
    #expect(log.entries.compactMap { $0.split(separator: " ").first.flatMap { Int($0) } } == Array(0...100))
    #expect(Set(log.entries.compactMap { $0.split(separator: " ").last }).count == 1)
  }

  @Test(.timeLimit(.minutes(5))) func `an alarm comes when it is due and not when it is cancelled`()
    async throws
  {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let log = Log()
    let clock = SuspendingClock()
    let began = clock.now
    await withCheckedContinuation { continuation in
      _ = reactor.after(.milliseconds(60)) {
        log.add("second")
        continuation.resume()
      }
      reactor.cancel(reactor.after(.milliseconds(20)) { log.add("cancelled") })
      // Set while the loop sleeps until the later one.
      _ = reactor.after(.milliseconds(30)) { log.add("first") }
    }
    #expect(clock.now - began >= .milliseconds(60))
    #expect(log.entries == ["first", "second"])
  }

  @Test(.timeLimit(.minutes(5))) func `a sleeper sleeps its time, or until its task is cancelled`()
    async throws
  {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let clock = SuspendingClock()
    let began = clock.now
    try await reactor.sleep(for: .milliseconds(40))
    #expect(clock.now - began >= .milliseconds(40))
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          await #expect(throws: CancellationError.self) { try await reactor.sleep(for: .seconds(3600)) }
        }
      }
      group.cancelAll()
    }
    #expect(clock.now - began < .seconds(3000))
  }

  @Test func `what epoll does not take is an error in words`() throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let file = Descriptor(owning: open("/proc/self/exe", O_RDONLY))
    let error = #expect(throws: SystemError.self) {
      _ = try reactor.register(file.number, for: .readable) { _ in }
    }
    #expect(error?.code == EPERM)
    #expect(error?.description.hasPrefix("cannot watch descriptor ") == true)
  }

  @Test(.timeLimit(.minutes(5))) func `a stopped reactor runs nothing more and gives back its descriptors`()
    async
  {
    await #expect(processExitsWith: .success) {
      let before = try ProcessTable.descriptorCount(of: "self")
      for _ in 0..<20 {
        let reactor = try Reactor()
        reactor.stop()
        reactor.perform { exit(9) }
        _ = reactor.after(.zero) { exit(9) }
      }
      let after = try ProcessTable.descriptorCount(of: "self")
      // The Swift runtime opens one or two of its own when it likes.
      try require(after < before + 5, "descriptors: \(before), then \(after)")
    }
  }

  @Test(.timeLimit(.minutes(5))) func `an idle reactor sleeps`() async throws {
    let reactor = try Reactor()
    defer { reactor.stop() }
    let (reading, writing) = try pipe()
    _ = try reactor.register(reading.number, for: .readable) { _ in }
    defer { withExtendedLifetime(writing) {} }
    _ = reactor.after(.seconds(3600)) {}
    let thread = await withCheckedContinuation { continuation in
      reactor.perform {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")
        continuation.resume(returning: link ?? "")
      }
    }
    func switches() throws -> Int {
      let status = try String(contentsOfFile: "/proc/\(thread)/status", encoding: .utf8)
      return status.split(separator: "\n").filter { $0.hasPrefix("voluntary_ctxt") }
        .compactMap { $0.split(separator: "\t").last.flatMap { Int($0) } }.reduce(0, +)
    }
    // Until it has gone back to sleep after that job.
    try await Task.sleep(for: .milliseconds(50))
    let before = try switches()
    try await Task.sleep(for: .seconds(1))
    #expect(try switches() == before)
  }
}
