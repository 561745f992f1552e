import Foundation
import Glibc
import Synchronization

/// A thread for what nobody waits for: what comes within some milliseconds is done together, in order.
///
/// It sleeps while there is nothing.
package final class LateWork: Sendable {
  package typealias Job = @Sendable () -> Void

  /// What the thread and its owner share; the thread must not keep the owner alive.
  private final class Desk: Sendable {
    private let jobs = Mutex<[Job]>([])
    /// Held while jobs are done, so that who comes second is second.
    private let turn = Mutex(())
    private let isStopped = Mutex(false)
    private let bell = DispatchSemaphore(value: 0)

    /// - Returns: how many wait, this one with them.
    func put(_ job: @escaping Job) -> Int {
      let count = jobs.withLock { jobs in
        jobs.append(job)
        return jobs.count
      }
      if count == 1 { bell.signal() }
      return count
    }

    func clear() {
      turn.withLock { _ in
        let jobs = jobs.withLock { jobs in
          defer { jobs = [] }
          return jobs
        }
        for job in jobs { job() }
      }
    }

    func work(pace: Duration) {
      while true {
        bell.wait()
        if isStopped.withLock({ $0 }) { return }
        usleep(UInt32(pace / .microseconds(1)))
        clear()
      }
    }

    func stop() {
      isStopped.withLock { $0 = true }
      bell.signal()
    }
  }

  /// That many may wait; who brings one more does them.
  private static let most = 4096

  private let desk: Desk

  /// - Parameter pace: how long a job may wait for more.
  package init(pace: Duration) {
    let desk = Desk()
    self.desk = desk
    let thread = Thread { desk.work(pace: pace) }
    thread.name = "late"
    thread.start()
  }

  deinit {
    desk.stop()
    desk.clear()
  }

  package func add(_ job: @escaping Job) {
    if desk.put(job) >= Self.most { desk.clear() }
  }

  /// Does what waits.
  package func finish() { desk.clear() }
}
