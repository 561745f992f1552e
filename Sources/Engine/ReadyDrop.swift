import Core
import Foundation
import Store

/// A drop that has settled, or that will never be one.
struct ReadyDrop: Sendable {
  var name: FileName
  var sample: FileSample
  var route: (version: PipelineVersion, captures: [String: String])?
  /// Why it goes to quarantine instead of a run.
  var refusal: String?
  /// The file that said it is whole, which goes with it.
  var doneFile: FileName?
  /// When it came to lie in the inbox.
  var arrived: Date

  init(
    name: FileName, sample: FileSample, route: (version: PipelineVersion, captures: [String: String])? = nil,
    refusal: String? = nil
  ) {
    self.name = name
    self.sample = sample
    self.route = route
    self.refusal = refusal
    arrived = Date(timeIntervalSince1970: Double(sample.changed) / 1_000_000_000)
  }
}

/// A drop that lies in `work/` and is to be recorded.
struct TakenDrop: Sendable {
  var id: RunID
  var drop: ReadyDrop
  /// Where it was computed on the way.
  var sha256: String?
  /// Where the drop is a copy.
  var source: NewRun.Source?

  init(id: RunID, drop: ReadyDrop, sha256: String? = nil, source: NewRun.Source? = nil) {
    self.id = id
    self.drop = drop
    self.sha256 = sha256
    self.source = source
  }
}

extension Workbench {
  /// Removes the done file of a drop that is claimed, unless another drop of its name came since.
  ///
  /// It goes before the claim is recorded: a crash in between is mended with the claim's own, and a done file that
  /// was left would let the next drop of this name pass before it is whole.
  func removeDoneFile(of drop: ReadyDrop) {
    guard let doneFile = drop.doneFile else { return }
    do { try spool.removeDoneFile(doneFile, of: drop.name) } catch {
      say(.dropHeld(doneFile, reason: "its drop is claimed, and it cannot be removed: \(error)"))
    }
  }
}
