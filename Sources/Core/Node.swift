/// One value of a YAML or JSON file, and where it stands.
package struct Node: Sendable, Equatable, Codable {
  package var mark: Mark
  package var content: Content

  package indirect enum Content: Sendable, Equatable, Codable {
    /// In the order of the file; no key stands twice.
    case mapping([Entry])
    case sequence([Node])
    /// The text as written, without quotes; only what is not quoted can be anything but text.
    case scalar(String, quoted: Bool)
  }

  package struct Entry: Sendable, Equatable, Codable {
    package var key: String
    package var mark: Mark
    package var value: Node

    package init(key: String, mark: Mark, value: Node) {
      self.key = key
      self.mark = mark
      self.value = value
    }
  }

  package init(_ content: Content, at mark: Mark) {
    self.content = content
    self.mark = mark
  }
}

extension Node {
  package var entries: [Entry]? { if case .mapping(let entries) = content { entries } else { nil } }
  package var elements: [Node]? { if case .sequence(let elements) = content { elements } else { nil } }
  package var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

  package subscript(key: String) -> Node? { entry(key)?.value }

  package func entry(_ key: String) -> Entry? { entries?.first { $0.key == key } }

  /// Whether it is an unquoted scalar that YAML 1.2 calls null.
  package var isNull: Bool {
    if case .scalar(let text, quoted: false) = content {
      ["", "~", "null", "Null", "NULL"].contains(text)
    } else {
      false
    }
  }

  /// What a person calls it in an error: the kind, and the text where there is one.
  package var described: String {
    switch content {
    case .mapping: "a map"
    case .sequence: "a list"
    case .scalar("", quoted: false): "nothing"
    case .scalar(let text, _): "`\(Display.brief(text))`"
    }
  }

  /// The same tree with `change` applied to every scalar.
  package func mappingScalars(_ change: (Node) throws -> Node) rethrows -> Node {
    var node = self
    switch content {
    case .scalar: return try change(self)
    case .sequence(let elements):
      node.content = .sequence(try elements.map { try $0.mappingScalars(change) })
    case .mapping(let entries):
      node.content = .mapping(
        try entries.map { entry in
          var entry = entry
          entry.value = try entry.value.mappingScalars(change)
          return entry
        })
    }
    return node
  }
}
