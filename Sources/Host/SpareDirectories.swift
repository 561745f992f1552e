import CSystem
import Core
import Glibc
import Synchronization

/// Empty directories held ready, for a run, an attempt of it, or a lane of one: a rename takes microseconds, and to make a
/// directory may take longer than the program that is to work in it.
final class SpareDirectories: Sendable {
  private struct State {
    /// `nil` until the first are wanted: what an earlier agent left is of use then.
    var place: Directory?
    var names: [String] = []
    var next = 0
    var isFilling = false

    /// Somebody took them away, or nothing can be made there: it is looked at anew.
    mutating func forget() {
      place = nil
      names = []
    }

    mutating func newName() -> String {
      next = next % SpareDirectories.last + 1
      return String(next)
    }
  }

  /// Two runs, each with its first two attempts.
  private static let enough = 6
  /// The working directories of many lanes.
  private static let most = 64
  private static let last = 999_999_999
  /// No run's name begins with a dot.
  private static let name = ".spare"

  private let parent: Directory
  private let state = Mutex(State())

  init(below parent: Directory) { self.parent = parent }

  /// Makes what may soon be wanted, `most` of it; what cannot be made is left to whoever wants it.
  func refill(_ most: Int) {
    for _ in 0..<most {
      guard let (place, name) = wanted() else { return }
      let isMade = mkdirat(place.fd, name, 0o700) == 0
      state.withLock { state in
        state.isFilling = false
        if isMade { state.names.append(name) } else { state.forget() }
      }
      if !isMade { return }
    }
  }

  /// The name of the next one; nobody else makes one until it is there, and nobody who takes one waits for it.
  private func wanted() -> (place: Directory, name: String)? {
    state.withLock { state in
      if state.place == nil, let place = try? parent.directory(Self.name, making: true) {
        state.place = place
        try? place.forEachName { name in
          // whatever else lies there is not ours
          guard let number = name.text.flatMap({ Int($0) }), (1...Self.last).contains(number) else { return }
          state.names.append(String(number))
          state.next = max(state.next, number)
        }
      }
      guard let place = state.place, state.names.count < Self.enough, !state.isFilling else { return nil }
      state.isFilling = true
      return (place, state.newName())
    }
  }

  /// Takes one back that is of no use any more; false where there are enough.
  func give(from directory: Directory, _ name: String) -> Bool {
    let free = state.withLock { state -> (place: Directory, name: String)? in
      guard let place = state.place, state.names.count < Self.most else { return nil }
      return (place, state.newName())
    }
    guard let (place, spare) = free, penstock_rename_noreplace(directory.fd, name, place.fd, spare) == 0 else {
      return false
    }
    state.withLock { $0.names.append(spare) }
    return true
  }

  /// Gives one of them its place.
  /// - Returns: false where there is none, a program made something else of it, or another has the name by now.
  func take(into directory: Directory, as name: String) -> Bool {
    let found = state.withLock { state in state.names.popLast().flatMap { name in state.place.map { ($0, name) } } }
    guard let (place, spare) = found else { return false }
    // looked at before, for with its name others may begin to fill it
    guard place.isEmptyDirectory(spare) else {
      if place.sample(of: FileName(spare)) == nil {
        state.withLock { $0.forget() }
      } else {
        try? place.removeTree(FileName(spare))
      }
      return false
    }
    // who has it by that name already keeps it
    let renamed = penstock_rename_noreplace(place.fd, spare, directory.fd, name)
    guard renamed == 0 else {
      state.withLock { state in
        if renamed == -ENOENT { state.forget() } else { state.names.append(spare) }
      }
      return false
    }
    return true
  }
}

extension Directory {
  /// Whether `name` is a directory of mode 0700 with nothing in it.
  func isEmptyDirectory(_ name: String) -> Bool {
    var status = stat()
    guard fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0, status.st_mode == S_IFDIR | 0o700 else { return false }
    var isEmpty = true
    guard (try? directory(name).forEachName { _ in isEmpty = false }) != nil else { return false }
    return isEmpty
  }
}
