import Core

extension StageOutcome {
  /// What one call for several items comes to, for each of them.
  ///
  /// A program that did not exit with 0 has failed for all of them.
  static func of(
    _ result: ProgramResult, items: [Item], timeout: Duration?, lastLine: String?
  ) -> [StageOutcome] {
    guard case .exited(0) = result.termination, result.ending == .itself, !result.replyIsCut else {
      let one = of(result, timeout: timeout, lastLine: lastLine)
      return items.map { _ in one }
    }
    do {
      return try BatchReply.read(result.reply, of: items.map(\.id)).map { reply in
        switch reply {
        case .success(let reply): of(reply)
        case .failure(let error): .failure(.failed, "bad reply: \(error)")
        }
      }
    } catch {
      return items.map { _ in .failure(.failed, "bad reply: \(error)") }
    }
  }
}
