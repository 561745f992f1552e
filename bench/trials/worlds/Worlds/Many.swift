import Dispatch
import Foundation
import Synchronization

/// Many worlds, on all cores; their order is that of the seeds.
package enum Many {
  package static func of<Outcome: Sendable>(
    _ count: Int, _ world: @escaping @Sendable (UInt64) -> Outcome
  ) -> [Outcome] {
    let outcomes = Mutex([Outcome?](repeating: nil, count: count))
    let next = Mutex(0)
    DispatchQueue.concurrentPerform(iterations: ProcessInfo.processInfo.activeProcessorCount) { _ in
      while true {
        let index = next.withLock { next in
          defer { next += 1 }
          return next
        }
        guard index < count else { return }
        let outcome = world(UInt64(index + 1))
        outcomes.withLock { $0[index] = outcome }
      }
    }
    return outcomes.withLock { $0.compactMap(\.self) }
  }
}
