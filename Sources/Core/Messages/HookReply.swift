/// The one JSON object a hook writes on stdout.
package struct HookReply: Sendable, Equatable {
  /// `allow`, `deny`, `skip` or `defer`.
  package var decision: HookDecision
  package var reason: String?
  /// JSON merge patches (RFC 7396).
  package var params: JSON?
  package var context: JSON?
  package var granularity: Granularity?
  /// How long a deferred run waits.
  package var retryAfter: Duration
  package var annotations: [String: JSON]
  package var warnings: [String]
  /// Why the hook failed, where it says so: one that stays has no exit code to say it by.
  package var failure: String?

  package init(
    decision: HookDecision = .allow, reason: String? = nil, params: JSON? = nil, context: JSON? = nil,
    granularity: Granularity? = nil, retryAfter: Duration = .seconds(60),
    annotations: [String: JSON] = [:], warnings: [String] = []
  ) {
    self.decision = decision
    self.reason = reason
    self.params = params
    self.context = context
    self.granularity = granularity
    self.retryAfter = retryAfter
    self.annotations = annotations
    self.warnings = warnings
  }

  /// Bytes of JSON: they are kept with every call.
  private static let mostAnnotations = 64 << 10
  private static let mostWarnings = 100
  private enum Status: String, CaseIterable { case ok, fail }

  private enum Answer: String, CaseIterable { case allow, deny, skip, `defer` }

  /// Reads a reply; nothing but white space is `allow`.
  /// - Throws: `BadReply` in words.
  package init(parsing bytes: [UInt8]) throws(BadReply) {
    self.init()
    guard let object = try ReplyText.object(bytes) else { return }
    let reader = ReplyReader(object: object)
    if let answer = try reader.choice("decision", Answer.self) {
      decision = HookDecision(rawValue: answer.rawValue) ?? .allow
    }
    reason = try reader.text("reason")
    if try reader.choice("status", Status.self) == .fail {
      failure = reason ?? "the hook says fail, and gives no reason"
    }
    granularity = try reader.choice("granularity", Granularity.self)
    annotations = try reader.map("annotations")
    let size = (try? JSON.object(annotations).bytes().count) ?? 0
    if size > Self.mostAnnotations {
      throw BadReply("`annotations` has \(size) bytes, and \(Self.mostAnnotations) are the most")
    }
    let patch = try reader.map("patch")
    for key in patch.keys where key != "params" && key != "context" {
      throw BadReply("`patch` may change `params` and `context`, not `\(Display.brief(key))`")
    }
    params = patch["params"]
    context = patch["context"]
    if let text = try reader.text("retry_after") {
      guard let wait = try? Quantity.duration(text) else {
        throw BadReply("`retry_after` is `\(Display.brief(text))`: expected a time such as `60s`")
      }
      retryAfter = max(wait, .seconds(1))
    }
    let list = try reader.list("warnings")
    if list.count > Self.mostWarnings {
      throw BadReply("`warnings` has \(list.count) texts, and \(Self.mostWarnings) are the most")
    }
    for warning in list {
      guard let text = warning.string else { throw BadReply("`warnings` must be a list of texts") }
      warnings.append(text)
    }
  }
}
