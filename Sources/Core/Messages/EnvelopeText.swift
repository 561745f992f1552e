import Foundation

extension Envelope {
  /// One line, keys sorted.
  package func line() throws -> [UInt8] { try json.bytes() + [UInt8(ascii: "\n")] }

  private var json: JSON {
    .members([
      "api": .integer(api), "event": .string(event), "run": run?.json, "drop": drop?.json, "stage": stage?.json,
      "inputs": .array(inputs.map(\.json)), "context": context, "out": .text(out), "home": .string(home),
      "checkpoint": .text(checkpoint), "deadline": .text(deadline), "outcome": outcome?.json,
      "outputs": outputs.map { .array($0.map(\.json)) }, "metrics": metrics.map { .object($0) },
      "verdict": verdict,
    ])
  }
}

extension Envelope.RunPart {
  fileprivate var json: JSON {
    // present and null: a program may test them without asking whether they are there
    .object([
      "id": .string(id.text), "number": .integer(number), "pipeline": .string(pipeline),
      "version": .string(version), "slot": .text(slot) ?? .null, "trial": trial?.json ?? .null,
    ])
  }
}

extension Envelope.TrialPart {
  fileprivate var json: JSON {
    [
      "id": .string(id.text), "arm": .string(arm), "block": .integer(split.block), "fold": .integer(split.fold),
      "folds": .integer(split.folds), "seed": .integer(split.seed),
    ]
  }
}

extension Envelope.DropPart {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "name_b64": .text(nameBase64), "sha256": .text(sha256), "bytes": .integer(bytes),
      "captures": .object(captures.mapValues { .string($0) }),
    ])
  }
}

extension Envelope.StagePart {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "attempt": .integer(attempt), "granularity": .string(granularity.rawValue),
      "sample": sample.map { .number($0) }, "seed": .integer(seed), "params": .object(params),
    ])
  }
}

extension Envelope.FilePart {
  fileprivate var json: JSON {
    .members([
      "name": .string(name), "path": .string(path), "stage": .text(stage), "sha256": .text(sha256),
      "bytes": .integer(bytes),
    ])
  }
}

extension Envelope.OutcomePart {
  fileprivate var json: JSON {
    .members([
      "state": .string(state), "reason": .text(reason), "exit": exit.map { .integer(Int($0)) },
      "wall_s": wall.map { .number($0) }, "cpu_s": cpu.map { .number($0) },
      "rss_bytes": peakRSS.map { .integer($0) },
    ])
  }
}

extension JSON {
  /// An object without what is absent.
  fileprivate static func members(_ members: [String: JSON?]) -> JSON { .object(members.compactMapValues { $0 }) }

  fileprivate static func text(_ text: String?) -> JSON? { text.map { .string($0) } }
}
