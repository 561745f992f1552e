import Foundation
import Glibc
import Synchronization

/// The threads on which all tasks of the program run.
///
/// Swift's own pool on Linux is libdispatch's, whose monitor wakes once a second for as long as the program lives,
/// whatever there is to do. These threads sleep until there is a job, so an idle agent sleeps too.
package final class ThreadPool: TaskExecutor {
  private let jobs = Mutex<[UnownedJob]>([])
  private let bell = DispatchSemaphore(value: 0)

  /// Starts `width` threads that live as long as the program.
  package init(width: Int) {
    for _ in 0..<width {
      let thread = Thread { [self] in work() }
      thread.name = "task"
      thread.start()
    }
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    bell.signal()
  }

  private func work() {
    while true {
      bell.wait()
      let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
      job?.runSynchronously(on: asUnownedTaskExecutor())
    }
  }

  /// Runs `body` as the one root task and returns when it has ended.
  package func runBlocking(_ body: @escaping @Sendable () async -> Void) {
    let end = DispatchSemaphore(value: 0)
    // the root of all structured concurrency: there is no task above it that could own it
    Task(executorPreference: self) {
      await body()
      end.signal()
    }
    end.wait()
  }
}
