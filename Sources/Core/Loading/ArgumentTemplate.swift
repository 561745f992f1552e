/// Turns the argv of a stage or hook into the words its program is started with.
package enum ArgumentTemplate {
  /// Fills `${input}`, `${home}`, `${out}` and `${params.x}`, each inside its own element: nothing is ever split.
  ///
  /// - Parameters:
  ///   - input: the path of the first input; `nil` where the stage has none.
  ///   - home: the workspace, an absolute path.
  ///   - out: the directory for outputs, an absolute path.
  /// - Throws: `Missing` where an element names a value there is none of, or one that is a list or a map.
  package static func expand(
    argv: [String], input: String?, home: String, out: String, params: [String: JSON]
  ) throws(Missing) -> [String] {
    var words: [String] = []
    for element in argv {
      let template: Template
      do { template = try Template(parsing: element) } catch {
        throw Missing(element: element, reason: error.reason)
      }
      let filled = try template.filling { (reference) throws(Missing) -> [Template.Piece]? in
        switch (reference.scope, reference.key) {
        case (nil, "home"): return [.literal(home)]
        case (nil, "out"): return [.literal(out)]
        case (nil, "input"):
          guard let input else {
            throw Missing(element: element, reason: "the stage has no input")
          }
          return [.literal(input)]
        case ("params", let key):
          return [.literal(try text(of: params[key], key: key, element: element))]
        default:
          throw Missing(element: element, reason: "nothing is known as `\(reference.displayed)`")
        }
      }
      words.append(filled.plain)
    }
    return words
  }

  package struct Missing: Error, Equatable {
    package let element: String
    package let reason: String

    package init(element: String, reason: String) {
      self.element = element
      self.reason = reason
    }
  }

  private static func text(of value: JSON?, key: String, element: String) throws(Missing) -> String {
    switch value {
    case .string(let text): return text
    case .integer(let number): return String(number)
    case .number(let number): return String(number)
    case .bool(let flag): return String(flag)
    case nil, .null: throw Missing(element: element, reason: "`params.\(key)` has no value")
    case .array, .object:
      throw Missing(element: element, reason: "`params.\(key)` is a list or a map, which is no argument")
    }
  }
}
