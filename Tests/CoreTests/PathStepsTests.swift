import Core
import Testing

@Suite struct PathStepsTests {
  private func steps(_ path: String, links: [String: String] = [:], missing: Set<String> = []) -> PathSteps {
    PathSteps(of: path) { path in
      if let target = links[path] { return .link(to: target) }
      return missing.contains(path) ? .nothing : .directory
    }
  }

  @Test func `every directory on the way is a step, and the last one's parent decides`() {
    let found = steps("/data//in/./box")
    #expect(found.steps.map(\.path) == ["/", "/data", "/data/in", "/data/in/box"])
    #expect(found.end == "/data/in/box" && found.missing == nil)
    #expect(found.parent?.directory == "/data/in" && found.parent?.name == "box")
  }

  @Test func `a link is a step, and what it leads over too`() {
    let found = steps("/data/now/box", links: ["/data/now": "../srv/one", "/srv": "/mnt/x"])
    #expect(
      found.steps.map(\.path) == [
        "/", "/data", "/data/now", "/srv", "/mnt", "/mnt/x", "/mnt/x/one", "/mnt/x/one/box",
      ])
    #expect(found.steps.filter(\.isLink).map(\.path) == ["/data/now", "/srv"])
    #expect(found.end == "/mnt/x/one/box")
  }

  @Test func `what is missing is waited for where it would be made`() {
    let found = steps("/data/now/box", links: ["/data/now": "one"], missing: ["/data/one"])
    #expect(found.missing == "one" && found.lastDirectory == "/data" && found.end == nil && found.parent == nil)
    #expect(steps("/a/b/c", missing: ["/a/b"]).lastDirectory == "/a")
  }

  @Test func `a loop of links is something missing and no endless search`() {
    let found = steps("/a/x", links: ["/a": "/b", "/b": "/a"])
    #expect(found.end == nil && found.missing != nil)
  }

  @Test func `the root and what lies above it`() {
    #expect(steps("/").end == "/" && steps("/").parent == nil)
    #expect(steps("/../a").end == "/a" && steps("/a").parent?.directory == "/")
  }
}
