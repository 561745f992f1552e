import Core
import Dispatch
import Synchronization
import Testing

@Suite struct CancellationTests {
  @Test func `the first cause stands, and each listener hears it once`() {
    let cancellation = Cancellation()
    let heard = Mutex<[Cancellation.Cause]>([])
    _ = cancellation.listen { cause in heard.withLock { $0.append(cause) } }
    cancellation.cancel(.person)
    cancellation.cancel(.shutdown)
    #expect(cancellation.cause == .person)
    #expect(heard.withLock { $0 } == [.person])
  }

  @Test func `who listens late hears it at once`() {
    let cancellation = Cancellation()
    cancellation.cancel(.shutdown)
    let heard = Mutex<[Cancellation.Cause]>([])
    _ = cancellation.listen { cause in heard.withLock { $0.append(cause) } }
    #expect(heard.withLock { $0 } == [.shutdown])
  }

  @Test func `who was forgotten hears nothing`() {
    let cancellation = Cancellation()
    let heard = Mutex(0)
    let token = cancellation.listen { _ in heard.withLock { $0 += 1 } }
    _ = cancellation.listen { _ in heard.withLock { $0 += 10 } }
    cancellation.forget(token)
    cancellation.cancel(.person)
    #expect(heard.withLock { $0 } == 10)
  }

  @Test func `of many who listen while it is said, all hear it once`() {
    let cancellation = Cancellation()
    let heard = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 200) { n in
      if n == 100 { cancellation.cancel(.person) }
      _ = cancellation.listen { _ in heard.add(1, ordering: .relaxed) }
    }
    #expect(heard.load(ordering: .relaxed) == 200)
  }
}
