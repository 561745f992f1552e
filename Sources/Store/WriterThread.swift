import Foundation
import Synchronization

/// A thread of its own for what blocks on the disk, woken only when there is something to write.
///
/// A queue of libdispatch would wake its pool's monitor once a second from the first use on.
final class WriterThread: Sendable {
  /// What the thread and its owner share; the thread must not keep the owner alive.
  private final class Desk: Sendable {
    let jobs = Mutex<[@Sendable () -> Void]>([])
    let isStopped = Mutex(false)
    let bell = DispatchSemaphore(value: 0)

    func work() {
      while true {
        bell.wait()
        let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let job { job() } else if isStopped.withLock({ $0 }) { return }
      }
    }
  }

  private let desk = Desk()

  init() {
    let desk = desk
    let thread = Thread { desk.work() }
    thread.name = "writer"
    thread.start()
  }

  /// The thread ends when all that was given to it is done.
  deinit {
    desk.isStopped.withLock { $0 = true }
    desk.bell.signal()
  }

  func perform(_ job: @escaping @Sendable () -> Void) {
    desk.jobs.withLock { $0.append(job) }
    desk.bell.signal()
  }
}
