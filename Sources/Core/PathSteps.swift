/// The directories and links that a path leads over: a change of any of them can make it lead elsewhere.
package struct PathSteps: Sendable, Equatable {
  package enum Found: Sendable, Equatable {
    case directory
    case link(to: String)
    case nothing
  }

  package struct Step: Sendable, Hashable {
    /// Absolute, without links before its last component.
    package var path: String
    package var isLink: Bool

    package init(path: String, isLink: Bool) {
      self.path = path
      self.isLink = isLink
    }
  }

  /// From the root to the end, or as far as there is something.
  package private(set) var steps: [Step] = [Step(path: "/", isLink: false)]
  /// The name that is missing in the last directory of `steps`; `nil` where the path leads to a directory.
  package private(set) var missing: String?
  /// The last directory there is: where what is missing would appear.
  package private(set) var lastDirectory = "/"

  /// More links than this are a loop, as for path_resolution(7).
  private static let mostLinks = 40

  /// - Parameters:
  ///   - path: absolute.
  ///   - look: what lies at an absolute path, links not followed.
  package init(of path: String, look: (String) -> Found) {
    var rest = Self.components(path)
    var here: [String] = []
    var links = 0
    while let name = rest.popLast() {
      if name == ".." {
        _ = here.popLast()
        continue
      }
      let next = "/" + (here + [name]).joined(separator: "/")
      lastDirectory = "/" + here.joined(separator: "/")
      switch look(next) {
      case .directory:
        here.append(name)
        add(Step(path: next, isLink: false))
      case .link(let target):
        links += 1
        guard links <= Self.mostLinks else {
          missing = name
          return
        }
        add(Step(path: next, isLink: true))
        if target.hasPrefix("/") { here = [] }
        rest += Self.components(target)
      case .nothing:
        missing = name
        return
      }
    }
    lastDirectory = "/" + here.joined(separator: "/")
    end = lastDirectory
  }

  /// Where the path leads, without links; `nil` where something is missing.
  package private(set) var end: String?

  /// The directory whose entries decide over the last component, and the name it has there.
  package var parent: (directory: String, name: String)? {
    guard let end, let cut = end.lastIndex(of: "/"), end.count > 1 else { return nil }
    return (cut == end.startIndex ? "/" : String(end[..<cut]), String(end[end.index(after: cut)...]))
  }

  private mutating func add(_ step: Step) {
    if !steps.contains(step) { steps.append(step) }
  }

  /// In reverse, so that the next one is the last.
  private static func components(_ path: String) -> [String] {
    path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
  }
}
