import Foundation
import Glibc
import Host
import Testing

@Suite(.serialized) struct InstanceLockTests {
  @Test func `one holds it at a time, and the second is told who`() throws {
    let place = try Spooled()
    do {
      let lock = try InstanceLock(varPath: place.path("var"), boot: "boot")
      let held = #expect(throws: InstanceLock.Held.self) { try InstanceLock(varPath: place.path("var"), boot: "boot") }
      #expect(held?.pid == getpid() && held?.isAlive == true)
      #expect(place.text("var/agent.lock") == "\(getpid()) boot\n")
      withExtendedLifetime(lock) {}
    }
    _ = try InstanceLock(varPath: place.path("var"), boot: "boot")
    #expect(place.text("var/agent.lock") != nil)
  }

  @Test func `a refusal closes what it opened once, and nobody else's descriptor`() throws {
    let place = try Spooled()
    let lock = try InstanceLock(varPath: place.path("var"), boot: "boot")
    let lost = Counter()
    DispatchQueue.concurrentPerform(iterations: 2000) { [varPath = place.path("var")] _ in
      let own = open("/dev/null", O_RDONLY | O_CLOEXEC)
      _ = try? InstanceLock(varPath: varPath, boot: "boot")
      if close(own) != 0 { _ = lost.increment() }
    }
    #expect(lost.value == 0)
    withExtendedLifetime(lock) {}
  }

  @Test func `it is no link's target`() throws {
    let place = try Spooled()
    try place.write("elsewhere", "keep")
    #expect(symlink(place.path("elsewhere"), place.path("var/agent.lock")) == 0)
    #expect(throws: (any Error).self) { try InstanceLock(varPath: place.path("var"), boot: "boot") }
    #expect(place.text("elsewhere") == "keep")
  }
}
