import CYaml
package import Core

/// Reads YAML, and JSON as a part of it, into nodes that know where they stand.
///
/// Yams' own composer follows aliases and recurses before anyone can refuse them, so the events of the libyaml
/// inside it are read here: nothing a file holds can make this grow, recurse or wait.
package enum YAMLDocument {
  /// Bytes; a configuration that is larger is no configuration.
  package static let longest = 1 << 20
  /// Maps and lists inside each other.
  package static let deepest = 64

  /// - Throws: the first thing that makes the text no document.
  package static func parse(_ bytes: [UInt8], file: String) throws(Diagnostic) -> Node {
    try refuse(bytes, file: file)
    var reader = EventReader(file: file)
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    return try reader.document(bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes)
  }

  /// What libyaml would say in words of its own, or not at all.
  private static func refuse(_ bytes: [UInt8], file: String) throws(Diagnostic) {
    guard bytes.count <= longest else {
      throw Diagnostic(
        at: Mark(file: file), "the file has \(bytes.count) bytes; at most \(longest) (1 MiB) are read")
    }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw Diagnostic(at: Mark(file: file), "the file is UTF-16", hint: "save it as UTF-8")
    }
    var line = 1
    var start = 0
    for (offset, byte) in bytes.enumerated() {
      if byte == 0 {
        let column = String(decoding: bytes[start..<offset], as: UTF8.self).unicodeScalars.count + 1
        throw Diagnostic(
          at: Mark(file: file, line: line, column: column), "the file holds a NUL byte: it is not text")
      }
      if byte == 0x0A { (line, start) = (line + 1, offset + 1) }
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      let (line, column) = firstInvalid(bytes)
      throw Diagnostic(
        at: Mark(file: file, line: line, column: column), "the file is not UTF-8 from here on",
        hint: "save it as UTF-8")
    }
  }

  private static func firstInvalid(_ bytes: [UInt8]) -> (line: Int, column: Int) {
    var parser = UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var (line, column) = (1, 1)
    while case .valid(let encoded) = parser.parseScalar(from: &iterator) {
      (line, column) = UTF8.decode(encoded) == "\n" ? (line + 1, 1) : (line, column + 1)
    }
    return (line, column)
  }
}

/// Builds the tree from libyaml's events with a stack of its own.
private struct EventReader {
  let file: String
  private var open: [Collection] = []
  private var root: Node?

  private struct Collection {
    var mark: Mark
    var isMapping: Bool
    var elements: [Node] = []
    var entries: [Node.Entry] = []
    var places: [String: Mark] = [:]
    var key: (text: String, mark: Mark)?
  }

  init(file: String) { self.file = file }

  mutating func document(_ bytes: [UInt8]) throws(Diagnostic) -> Node {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      throw Diagnostic(at: Mark(file: file), "there is no memory to read the file")
    }
    defer { yaml_parser_delete(&parser) }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
    // libyaml keeps the pointer over many calls, so the bytes must not move
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
    defer { copy.deallocate() }
    _ = copy.initialize(from: bytes)
    yaml_parser_set_input_string(&parser, copy.baseAddress, bytes.count)
    var documents = 0
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(&parser, &event) == 1 else { throw failure(parser, in: bytes) }
      defer { yaml_event_delete(&event) }
      switch event.type {
      case YAML_STREAM_END_EVENT:
        return root ?? Node(.scalar("", quoted: false), at: Mark(file: file))
      case YAML_DOCUMENT_START_EVENT:
        documents += 1
        guard documents == 1 else {
          throw Diagnostic(
            at: mark(event), "a second document begins here; a file holds one",
            hint: "put it in a file of its own, or remove the `---`")
        }
      case YAML_ALIAS_EVENT:
        throw Diagnostic(
          at: mark(event), "`*\(text(event.data.alias.anchor))` is an alias; aliases are not read",
          hint: "write it out, or use `vars` and `${vars.x}`")
      case YAML_SCALAR_EVENT: try scalar(event)
      case YAML_SEQUENCE_START_EVENT:
        try begin(
          event, isMapping: false, anchor: event.data.sequence_start.anchor,
          tag: event.data.sequence_start.tag)
      case YAML_MAPPING_START_EVENT:
        try begin(
          event, isMapping: true, anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag)
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: try end()
      default: break
      }
    }
  }

  private mutating func scalar(_ event: yaml_event_t) throws(Diagnostic) {
    let scalar = event.data.scalar
    var mark = mark(event)
    try refuseProperties(anchor: scalar.anchor, tag: scalar.tag, at: mark)
    if event.start_mark.line == event.end_mark.line {
      mark.length = max(1, Int(event.end_mark.column) - Int(event.start_mark.column))
    }
    let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
    let text = String(decoding: bytes, as: UTF8.self)
    guard !text.utf8.contains(0) else {
      throw Diagnostic(at: mark, "the text holds a NUL character")
    }
    try add(Node(.scalar(text, quoted: scalar.style != YAML_PLAIN_SCALAR_STYLE), at: mark))
  }

  private mutating func begin(
    _ event: yaml_event_t, isMapping: Bool, anchor: UnsafeMutablePointer<yaml_char_t>?,
    tag: UnsafeMutablePointer<yaml_char_t>?
  ) throws(Diagnostic) {
    let mark = mark(event)
    try refuseProperties(anchor: anchor, tag: tag, at: mark)
    guard open.count < YAMLDocument.deepest else {
      throw Diagnostic(at: mark, "nested deeper than \(YAMLDocument.deepest) levels")
    }
    if let last = open.last, last.isMapping, last.key == nil {
      throw Diagnostic(at: mark, "a key must be text, not \(isMapping ? "a map" : "a list")")
    }
    open.append(Collection(mark: mark, isMapping: isMapping))
  }

  private mutating func end() throws(Diagnostic) {
    guard let done = open.popLast() else { return }
    try add(Node(done.isMapping ? .mapping(done.entries) : .sequence(done.elements), at: done.mark))
  }

  private mutating func add(_ node: Node) throws(Diagnostic) {
    guard let last = open.indices.last else {
      root = node
      return
    }
    if !open[last].isMapping {
      open[last].elements.append(node)
    } else if let key = open[last].key {
      open[last].entries.append(Node.Entry(key: key.text, mark: key.mark, value: node))
      open[last].key = nil
    } else {
      let key = node.text ?? ""
      if let first = open[last].places[key] {
        throw Diagnostic(
          at: node.mark, "key `\(Display.brief(key))` stands twice",
          hint: "it stands first in line \(first.line), column \(first.column)")
      }
      open[last].places[key] = node.mark
      open[last].key = (key, node.mark)
    }
  }

  private func refuseProperties(
    anchor: UnsafeMutablePointer<yaml_char_t>?, tag: UnsafeMutablePointer<yaml_char_t>?, at mark: Mark
  ) throws(Diagnostic) {
    if let anchor {
      throw Diagnostic(
        at: mark, "`&\(text(anchor))` is an anchor; anchors and aliases are not read",
        hint: "write it out, or use `vars` and `${vars.x}`")
    }
    if let tag {
      throw Diagnostic(
        at: mark, "`\(text(tag))` is a tag; tags are not read",
        hint: "quote what is to be text, the rest is read by its place")
    }
  }

  private func mark(_ event: yaml_event_t) -> Mark {
    Mark(file: file, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
  }

  private func text(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String {
    guard let characters else { return "" }
    var end = characters
    while end.pointee != 0 { end += 1 }
    return Display.brief(
      String(decoding: UnsafeBufferPointer(start: characters, count: end - characters), as: UTF8.self))
  }
}

extension EventReader {
  /// libyaml's message, reworded where people are known to stumble.
  private func failure(_ parser: yaml_parser_t, in bytes: [UInt8]) -> Diagnostic {
    let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
    let mark =
      parser.error == YAML_READER_ERROR
      ? mark(at: parser.problem_offset, in: bytes) : mark(parser.problem_mark, in: bytes)
    if problem.contains("cannot start any token"), character(at: mark, in: bytes) == "\t" {
      return Diagnostic(at: mark, "a tab, where YAML indents with spaces", hint: "replace it by spaces")
    }
    if problem.contains("did not find expected ',' or") {
      if character(at: mark, in: bytes) == "{", character(at: mark, in: bytes, before: 1) == "$" {
        return Diagnostic(
          at: mark, "`${…}` without quotes: YAML takes its brace for the beginning of a map", hint: "write `\"${…}\"`")
      }
      let begin = self.mark(parser.context_mark, in: bytes)
      let (thing, closing) = problem.contains("]") ? ("list in brackets", "]") : ("map in braces", "}")
      return Diagnostic(
        at: mark, "expected `,` or `\(closing)`",
        hint: "the \(thing) begins in line \(begin.line), column \(begin.column)")
    }
    for (part, message, hint) in Self.reworded where problem.contains(part) {
      return Diagnostic(at: mark, message, hint: hint)
    }
    let context = parser.context.map { String(cString: $0) + ": " } ?? ""
    return Diagnostic(at: mark, "this is not YAML: \(context)\(problem)")
  }

  /// Where libyaml means the end of the file, the end of the last line that has text.
  private func mark(_ place: yaml_mark_t, in bytes: [UInt8]) -> Mark {
    let spaces: [UInt8] = [0x0A, 0x0D, 0x20, 0x09]
    let end = (bytes.lastIndex { !spaces.contains($0) } ?? -1) + 1
    let last = mark(at: end, in: bytes)
    return min(last, Mark(file: file, line: Int(place.line) + 1, column: Int(place.column) + 1))
  }

  private func mark(at offset: Int, in bytes: [UInt8]) -> Mark {
    let lines = bytes.prefix(offset).split(separator: 0x0A, omittingEmptySubsequences: false)
    let column = String(decoding: lines.last ?? [], as: UTF8.self).unicodeScalars.count + 1
    return Mark(file: file, line: lines.count, column: column)
  }

  private func character(at mark: Mark, in bytes: [UInt8], before: Int = 0) -> Unicode.Scalar? {
    let lines = bytes.split(separator: 0x0A, maxSplits: mark.line, omittingEmptySubsequences: false)
    guard mark.line <= lines.count, mark.column > before else { return nil }
    return String(decoding: lines[mark.line - 1], as: UTF8.self).unicodeScalars
      .dropFirst(mark.column - 1 - before).first
  }

  private static let reworded: [(part: String, message: String, hint: String?)] = [
    (
      "cannot start any token", "no value can start with this character",
      "quote text that begins with `@`, `%` or a backtick"
    ),
    (
      "mapping values are not allowed", "a `:` where no key can stand",
      "quote text that contains `: `, or check the indentation of this line and the one before"
    ),
    (
      "could not find expected ':'", "a key without its `:`",
      "write `key: value`; check the indentation, and quotes that are not closed"
    ),
    (
      "did not find expected alphabetic or numeric character", "`*` and `&` have a meaning of their own in YAML",
      "quote text that begins with one of them: `\"*.csv\"`"
    ),
    (
      "did not find expected key", "neither a key nor the end of this map",
      "check the indentation: the keys of one map begin in the same column"
    ),
    (
      "did not find expected '-' indicator", "neither `- ` nor the end of this list",
      "check the indentation: the `-` of one list stand in the same column"
    ),
    (
      "did not find expected node content", "expected a value here",
      "check that every bracket and brace is closed"
    ),
    ("found unexpected end of stream", "a quote is not closed before the end of the file", nil),
    ("control characters are not allowed", "the file holds a control character", "remove it"),
    ("Maximum nesting level", "nested deeper than \(YAMLDocument.deepest) levels", nil),
  ]
}
