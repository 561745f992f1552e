import Core
import Testing

@Suite struct ExtendingTests {
  private let mark = Mark(file: "f")

  /// A document in which a key always has the same kind of value, as merging asks for.
  private func document(_ chance: inout Seeded) -> Node {
    func some<T>(_ values: [T]) -> [T] { values.filter { _ in Bool.random(using: &chance) } }
    func scalar() -> Node {
      Node(.scalar("\(Int.random(in: 0...9, using: &chance))", quoted: false), at: mark)
    }
    func map(_ keys: [String], _ value: () -> Node) -> Node {
      Node(.mapping(some(keys).map { Node.Entry(key: $0, mark: mark, value: value()) }), at: mark)
    }
    let stages = some(["a", "b", "c", "d"]).map { name in
      Node(
        .mapping([
          Node.Entry(key: "name", mark: mark, value: Node(.scalar(name, quoted: false), at: mark)),
          Node.Entry(key: "params", mark: mark, value: map(["x", "y", "z"], scalar)),
        ]), at: mark)
    }
    return Node(
      .mapping([
        Node.Entry(key: "vars", mark: mark, value: map(["x", "y", "z"], scalar)),
        Node.Entry(key: "stages", mark: mark, value: Node(.sequence(stages), at: mark)),
      ]), at: mark)
  }

  @Test func `merging is associative, and nothing is added by merging with oneself`() {
    var chance = Seeded(11)
    for _ in 0..<300 {
      let (a, b, c) = (document(&chance), document(&chance), document(&chance))
      var extending = Extending()
      #expect(
        extending.merge(extending.merge(a, b), c).json == extending.merge(a, extending.merge(b, c)).json)
      #expect(extending.merge(a, a) == a)
      #expect(extending.findings.diagnostics.isEmpty)
    }
  }

  @Test func `what the child says stands, the rest is inherited`() {
    var chance = Seeded(12)
    for _ in 0..<300 {
      let (base, child) = (document(&chance), document(&chance))
      var extending = Extending()
      let merged = extending.merge(base, child)
      let expected = (base["vars"]?.json ?? nil).merging(child["vars"]?.json ?? nil)
      #expect(merged["vars"]?.json == expected)
      let names = (base["stages"]?.elements ?? []).compactMap { $0["name"]?.text }
      let merged2 = (merged["stages"]?.elements ?? []).compactMap { $0["name"]?.text }
      #expect(Array(merged2.prefix(names.count)) == names)
    }
  }
}
