/// What differs between the keys of two attempts, in words.
package enum KeyDifference {
  /// One difference each, the most telling first: what the stage is, what it was told, what it was given.
  /// - Parameters:
  ///   - now: `CacheKey.parts` of the attempt.
  ///   - before: those of the one it is compared with.
  ///   - run: how that one's run is called, such as `run 3`.
  package static func words(now: JSON, before: JSON, run: String) -> [String] {
    var words: [String] = []
    if now["manifest"] != before["manifest"] {
      words += manifest(now["manifest"] ?? .null, before["manifest"] ?? .null, run)
    }
    for (path, new, old) in members(now["files"], before["files"]) {
      words.append(file(path, new?.string, old?.string, run))
    }
    for part in ["params", "context"] {
      for (name, new, old) in members(now[part], before[part]) {
        words.append("`\(part).\(Display.brief(name))` " + change(name, new, old, run))
      }
    }
    for (name, new, old) in [
      ("level", now["level"], before["level"]), ("sample", now["sample"], before["sample"]),
      ("seed", now["seed"], before["seed"]),
    ] where new != old {
      words.append("the \(name) " + change(name, new, old, run))
    }
    words += inputs(now["inputs"]?.array ?? [], before["inputs"]?.array ?? [], run)
    return words
  }

  /// How many parts differ: of several attempts the nearest tells most.
  package static func count(_ now: JSON, _ before: JSON) -> Int { words(now: now, before: before, run: "").count }

  private static func manifest(_ now: JSON, _ before: JSON, _ run: String) -> [String] {
    let names = [("uses", "the registered stage"), ("version", "the version of the stage"), ("run", "its command")]
    return names.compactMap { key, what in
      now[key] == before[key] ? nil : "\(what) " + change(key, now[key], before[key], run)
    }
  }

  private static func file(_ path: String, _ new: String?, _ old: String?, _ run: String) -> String {
    let name = "`\(Display.escaped(path))`"
    if new == nil { return "the file \(name) is not there, as it was in \(run)" }
    if old == nil { return "the file \(name) was not there in \(run)" }
    return "the file \(name) is not as in \(run)"
  }

  private static func inputs(_ now: [JSON], _ before: [JSON], _ run: String) -> [String] {
    if now.map(name) != before.map(name) {
      return [
        "its inputs are not those of \(run): \(list(now)); it had \(list(before))"
      ]
    }
    return zip(now, before).compactMap { new, old in
      if new["sha256"] != old["sha256"] { return "the input \(name(new)) has other content than in \(run)" }
      if new["file"] != old["file"] {
        return "the input \(name(new)) " + change("file", new["file"], old["file"], run)
      }
      return nil
    }
  }

  private static func name(_ input: JSON) -> String {
    let stage = input["stage"]?.string.map { " of `\(Display.brief($0))`" } ?? ""
    return "`\(Display.brief(input["name"]?.string ?? ""))`\(stage)"
  }

  private static func list(_ inputs: [JSON]) -> String {
    inputs.isEmpty ? "none" : inputs.map(name).joined(separator: ", ")
  }

  private static func members(_ now: JSON?, _ before: JSON?) -> [(String, JSON?, JSON?)] {
    let (now, before) = (now?.object ?? [:], before?.object ?? [:])
    return Set(now.keys).union(before.keys).sorted().compactMap { key in
      now[key] == before[key] ? nil : (key, now[key], before[key])
    }
  }

  private static func change(_ name: String, _ new: JSON?, _ old: JSON?, _ run: String) -> String {
    if SecretMask.looksSecret(name: name) { return "differs from \(run)" }
    switch (new.map(shown), old.map(shown)) {
    case (let new?, let old?): return "differs from \(run): \(new), was \(old)"
    case (let new?, nil): return "is new since \(run): \(new)"
    case (nil, let old?): return "is gone since \(run): was \(old)"
    case (nil, nil): return "differs from \(run)"
    }
  }

  private static func shown(_ value: JSON) -> String {
    if case .null = value { return "none" }
    return Display.brief((try? value.line()) ?? "")
  }
}
