/// The one JSON object a stage writes on stdout.
package struct StageReply: Sendable, Equatable {
  package var status: Status
  package var reason: String?
  package var outputs: [Output]
  package var metrics: [String: JSON]
  package var data: [String: JSON]
  package var context: JSON
  /// What kind of failure it is, where it is one and says so.
  package var error: StageError?

  package enum Status: String, Sendable, CaseIterable {
    case ok
    case skip
    case fail
    case retry
  }

  /// Each is synced and hashed.
  private static let mostOutputs = 1000

  package struct Output: Sendable, Equatable {
    package var name: String
    /// Relative to the working directory of the stage.
    package var path: String

    package init(name: String, path: String) {
      self.name = name
      self.path = path
    }

    /// A worker does not work in `out`, so it may name what lies there by its absolute path.
    package func relative(to out: String) -> Output {
      path.hasPrefix(out + "/") ? Output(name: name, path: String(path.dropFirst(out.count + 1))) : self
    }
  }

  package init(
    status: Status = .ok, reason: String? = nil, outputs: [Output] = [], metrics: [String: JSON] = [:],
    data: [String: JSON] = [:], context: JSON = .object([:]), error: StageError? = nil
  ) {
    self.status = status
    self.reason = reason
    self.outputs = outputs
    self.metrics = metrics
    self.data = data
    self.context = context
    self.error = error
  }

  /// Reads a reply; nothing but white space is `ok`.
  /// - Throws: `BadReply` in words, for everything that is not one object of this form.
  package init(parsing bytes: [UInt8]) throws(BadReply) {
    guard let object = try ReplyText.object(bytes) else {
      self.init()
      return
    }
    try self.init(object: object)
  }

  /// Reads a reply from the members of its object.
  init(object: [String: JSON]) throws(BadReply) {
    self.init()
    let reader = ReplyReader(object: object)
    status = try reader.choice("status", Status.self) ?? .ok
    reason = try reader.text("reason")
    metrics = try reader.map("metrics")
    data = try reader.map("data")
    context = .object(try reader.map("context"))
    if let text = try reader.text("error") {
      guard let said = StageError(text) else {
        throw BadReply(
          "`error` is `\(Display.brief(text))`: expected a class such as `data`, or with a code, `data.schema`; the classes are "
            + ErrorClass.names.map { "`\($0)`" }.joined(separator: ", "))
      }
      error = said
    }
    let list = try reader.list("outputs")
    guard list.count <= Self.mostOutputs else {
      throw BadReply("the reply has \(list.count) outputs, and \(Self.mostOutputs) are the most")
    }
    var names: Set<String> = []
    for (index, item) in list.enumerated() {
      guard let name = item["name"]?.string, let path = item["path"]?.string else {
        throw BadReply("`outputs[\(index)]` needs a `name` and a `path`, both text")
      }
      guard !name.isEmpty, !path.isEmpty, !path.utf8.contains(0) else {
        throw BadReply("`outputs[\(index)]` has an empty `name` or `path`, or one with NUL")
      }
      guard names.insert(name).inserted else {
        throw BadReply("two outputs are called `\(Display.brief(name))`")
      }
      outputs.append(Output(name: name, path: path))
    }
  }
}

/// Why a program's reply cannot be used, in words.
package struct BadReply: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
