#if FAILPOINTS
  import Foundation
  import Synchronization
#endif

/// A step at which `make torture` kills the agent, or lets the step fail.
///
/// Only a build with the flag `FAILPOINTS` (`PENSTOCK_FAILPOINTS=1 swift build`) hits them; any other build has empty
/// functions here. The harness reads the names from this file and complains of one that no workload hits.
package enum Failpoint: Sendable, CaseIterable {
  // a drop is claimed: faults.md 5.1, steps 1 to 6
  case claimMade
  case claimRenamed
  case claimLooked
  case claimSynced
  case claimRecording
  case claimRecorded
  case digestMade

  // an attempt: steps 7 to 10
  case stepRecording
  case stepRecorded
  case attemptOpened
  case hookAsked
  case hookAnswered
  case programAsked
  case programEnded
  case publishSynced
  case publishCleared
  case publishRenamed
  case publishDone

  // filing: step 11
  case quarantineNoted
  case filingRenamed
  case filingSynced
  case filingRecording
  case filingRecorded

  // an input is copied, for a run by hand or because it cannot be moved: 5.2
  case copyMade
  case copySynced
  case copyAdopted
  case copyDiscarded
  case copyRecorded
  case copyShared
  case sourceAside
  case sourceRemoved
  case sourceRecorded

  // the next agent takes up what this one left
  case recoveryInterrupting
  case recoveryInterrupted
  case recoveryDiscarded
  case recoveryAdopted
  case recoveryTaken
  case recoveryRefiled

  #if FAILPOINTS
    /// Ends the agent here where the harness wants it, as SIGKILL does.
    package func pass() {
      if Wanted.now?.isMet(by: self) == true { Wanted.die() }
    }

    /// The same; or fails with the errno the harness asks for, each time or this once.
    /// - Throws: what `failure` makes of the errno.
    package func hit(_ failure: (Int32) -> any Error = Self.trouble) throws {
      guard let wanted = Wanted.now, wanted.isMet(by: self) else { return }
      guard let code = wanted.code else { Wanted.die() }
      throw failure(code)
    }

    package static func trouble(_ code: Int32) -> any Error {
      HostError("cannot go on at a failpoint: \(String(cString: strerror(code)))", code: code)
    }
  #else
    @inline(__always) package func pass() {}
    @inline(__always) package func hit() throws {}
  #endif
}

#if FAILPOINTS
  /// `PENSTOCK_FAILPOINT=NAME:N:kill|eio|enospc[+]`: at the Nth hit of a point, with `+` also at each later one.
  private final class Wanted: Sendable {
    static let now = Wanted(ProcessInfo.processInfo.environment)

    /// errno(3); `nil` kills.
    let code: Int32?
    private let name: String?
    private let n: Int
    private let goesOn: Bool
    private let log: Int32
    private let count = Mutex(0)

    /// `PENSTOCK_FAILPOINT_LOG` names a file to which every hit is appended, so that the harness knows the points.
    private init?(_ environment: [String: String]) {
      let path = environment["PENSTOCK_FAILPOINT_LOG"]
      let wish = environment["PENSTOCK_FAILPOINT"]?.split(separator: ":").map(String.init)
      guard path != nil || wish != nil else { return nil }
      log = path.map { open($0, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600) } ?? -1
      guard let wish else {
        (code, name, n, goesOn) = (nil, nil, 0, false)
        return
      }
      guard wish.count == 3, let n = Int(wish[1]) else { fatalError("PENSTOCK_FAILPOINT is NAME:N:kill|eio|enospc[+]") }
      name = wish[0]
      self.n = n
      goesOn = wish[2].hasSuffix("+")
      code = ["kill": nil, "eio": EIO, "enospc": ENOSPC][wish[2].filter { $0 != "+" }] ?? nil
    }

    func isMet(by point: Failpoint) -> Bool {
      let own = String(describing: point)
      if log >= 0 {
        let line = Array((own + "\n").utf8)
        _ = write(log, line, line.count)
      }
      guard own == name else { return false }
      return count.withLock { count in
        count += 1
        return goesOn ? count >= n : count == n
      }
    }

    static func die() -> Never {
      kill(getpid(), SIGKILL)
      while true { pause() }
    }
  }
#endif
