/// What the outcome of a stage depends on, part by part; equal parts give equal outputs where the stage is `pure`.
///
/// What is not here must not matter to a pure stage: the run and its number, the environment, the time.
package struct CacheKey: Sendable, Equatable {
  /// One file it is given, by its name, where it comes from, and its content.
  package struct Input: Sendable, Equatable {
    package var name: String
    /// The stage that left it; `nil` for the drop and for data sources.
    package var stage: String?
    /// The last part of its path: a program may go by the ending.
    package var file: String
    package var sha256: String

    package init(name: String, stage: String?, file: String, sha256: String) {
      self.name = name
      self.stage = stage
      self.file = file
      self.sha256 = sha256
    }
  }

  /// The registered stage; `nil` where the pipeline names its own argv.
  package var uses: String?
  package var version: String?
  /// The argv before anything a start fills in.
  package var command: [String]
  /// SHA-256 of what its identity lies in, by path; `nil` where a file is not there.
  package var files: [String: String?]
  package var params: [String: JSON]
  package var context: [String: JSON]
  package var inputs: [Input]
  package var seed: Int
  package var level: Granularity
  package var sample: Double?

  package init(
    uses: String?, version: String?, command: [String], files: [String: String?], params: [String: JSON],
    context: [String: JSON], inputs: [Input], seed: Int, level: Granularity, sample: Double?
  ) {
    self.uses = uses
    self.version = version
    self.command = command
    self.files = files
    self.params = params
    self.context = context
    self.inputs = inputs
    self.seed = seed
    self.level = level
    self.sample = sample
  }

  /// The parts as they are digested and remembered; written as one line they are the same for equal keys.
  package var parts: JSON {
    [
      "manifest": [
        "uses": uses.map { .string($0) } ?? .null, "version": version.map { .string($0) } ?? .null,
        "run": .array(command.map { .string($0) }),
      ],
      "files": .object(files.mapValues { digest in digest.map { .string($0) } ?? .null }),
      "params": .object(params), "context": .object(context),
      "inputs": .array(inputs.map(\.json)),
      "seed": .integer(seed), "level": .string(level.rawValue), "sample": sample.map { .number($0) } ?? .null,
    ]
  }
}

extension CacheKey.Input {
  fileprivate var json: JSON {
    [
      "name": .string(name), "stage": stage.map { .string($0) } ?? .null, "file": .string(file),
      "sha256": .string(sha256),
    ]
  }
}
