import Glibc

/// How the keepers of a dead spawner end that do not end by themselves, with all they watch over.
///
/// A keeper is a subreaper: whatever its program started is below it, and one that is stopped starts nothing. So it is stopped first; then
/// all below it ends, group by group, for the kernel signals a group faster than it can fork; and then the keeper, when
/// nothing is left that could outlive it.
enum LeftKeepers {
  /// One SIGKILL.
  struct End: Equatable {
    let target: ProcessEntry
    /// To the whole group of the target.
    var isGroup = false
  }

  /// The next ones to end; to be asked again with a new table until the keepers are gone.
  /// - Parameter session: of the spawner, whose number it is; no program stays in it.
  static func ends(session: Int32, in table: [ProcessEntry]) -> [End] {
    let living = table.filter { $0.state != .ended }
    let children = Dictionary(grouping: living, by: \.parent)
    return living.filter { $0.session == session && $0.process != session && $0.state == .stopped }
      .flatMap { ends(of: $0, children) }
  }

  private static func ends(of keeper: ProcessEntry, _ children: [Int32: [ProcessEntry]]) -> [End] {
    var groups: Set<Int32> = []
    var ends: [End] = []
    for child in children[keeper.process] ?? [] {
      if child.group == keeper.group {
        ends.append(End(target: child))
      } else if groups.insert(child.group).inserted {
        // the number of a group is not used again while a child is in it that the keeper, stopped, cannot wait for
        ends.append(End(target: child, isGroup: true))
      }
    }
    var seen: Set<Int32> = [keeper.process]
    var next = children[keeper.process] ?? []
    // the table was not read at once: it may go round in a circle
    while let process = next.popLast() {
      guard seen.insert(process.process).inserted else { continue }
      let isDirect = process.parent == keeper.process
      if !isDirect, !groups.contains(process.group) { ends.append(End(target: process)) }
      next += children[process.process] ?? []
    }
    return ends.isEmpty ? [End(target: keeper)] : ends
  }
}
