/// What `stages/<kit>/<name>.yaml` says of a registered stage.
package struct Manifest: Sendable, Equatable, Codable {
  /// `tabular/train`.
  package var stage: String
  package var version: String
  package var summary: String
  /// `${kit}` stands for the directory of the kit.
  package var program: [String]
  /// A JSON Schema of the parameters, draft 2020-12.
  package var params: JSON
  /// What each supported level does, in words.
  package var levels: [Granularity: String]
  package var inputs: [String]
  package var outputs: [String]
  /// The inputs that are handed on when the stage is `off`; `nil` hands on all.
  package var passthrough: [String]?
  package var pure: Bool
  /// Its outcome depends on how a trial splits the rows; in all others nobody tells it of the split.
  package var splits: Bool
  package var persistent: Bool
  /// How its workers are kept, where it is persistent.
  package var worker: WorkerRules?
  /// The members of the context it reads, part of its cache key; `nil` may read all.
  package var context: [String]?
  /// Relative to the kit; their content is the identity of the stage.
  package var files: [String]
  /// The directory of its kit, an absolute path; empty where it is not known.
  package var kit: String

  package init(
    stage: String, version: String, summary: String, program: [String], params: JSON = .object([:]),
    levels: [Granularity: String] = [:], inputs: [String] = [], outputs: [String] = [],
    passthrough: [String]? = nil, pure: Bool = false, splits: Bool = false, persistent: Bool = false,
    worker: WorkerRules? = nil,
    context: [String]? = nil, files: [String] = [], kit: String = ""
  ) {
    self.stage = stage
    self.version = version
    self.summary = summary
    self.program = program
    self.params = params
    self.levels = levels
    self.inputs = inputs
    self.outputs = outputs
    self.passthrough = passthrough
    self.pure = pure
    self.splits = splits
    self.persistent = persistent
    self.worker = worker
    self.context = context
    self.files = files
    self.kit = kit
  }
}

extension Manifest {
  /// `coarse` is what every stage can do.
  package var supported: [Granularity] { Granularity.allCases.filter { $0 == .coarse || levels[$0] != nil } }
}
