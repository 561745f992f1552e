/// Directories of trials, `var/trials/<trial>/`: nothing of an arm is ever written elsewhere.
package protocol TrialFiles: Sendable {
  /// Copies an input, so that a trial goes on with the same bytes whatever becomes of the original.
  /// - Parameter index: of the input, from 0; a copy that is there already is taken.
  /// - Returns: its absolute path.
  func keepTrialInput(_ path: String, index: Int, of trial: RunID) throws -> String

  /// Makes the working directory of one stage of an arm, empty, and returns its absolute path.
  func openEvaluation(_ name: String, of trial: RunID) throws -> String

  /// What a stage of an arm left, looked at and not published.
  /// - Throws: `HostError` naming the output that is missing, no regular file, or outside the directory.
  func evaluated(_ outputs: [StageReply.Output], by stage: String, in path: String) throws -> [Envelope.FilePart]

  func removeEvaluation(_ name: String, of trial: RunID) throws

  /// Removes what was computed of a trial, and with `inputs` its data as well.
  func clearTrial(_ trial: RunID, inputs: Bool) throws

  /// A whole file by its absolute path.
  /// - Throws: `HostError`, also where it has more than `limit` bytes.
  func contents(at path: String, limit: Int) throws -> [UInt8]
}
