/// The agent's own directories: where drops go after the inbox, and what their runs leave.
package protocol Spool: Attic, ItemFiles, TrialFiles {
  /// Moves a drop from the inbox into `work/<id>/NAME`; not yet durable.
  /// - Throws: `HostError` where nothing can be claimed now, whatever the drop.
  func claim(_ name: FileName, as id: RunID) throws -> ClaimOutcome

  /// Looks at a claimed drop as `Inbox.look` does at one in the inbox.
  func look(at name: FileName, of id: RunID) throws -> Sighting

  /// A claimed drop as it is now; `nil` where it is gone.
  /// - Throws: `HostError` where its directory cannot be reached.
  func sample(of name: FileName, of id: RunID) throws -> FileSample?

  /// Makes claims survive a power cut; returns when they do.
  /// - Throws: `HostError`; the agent must then stop, for the kernel may have dropped what it could not write.
  func makeDurable(_ claims: [(id: RunID, name: FileName)]) throws

  /// Copies a file durably to where `adoptCopy` takes it; the source stays.
  func copyIn(_ path: FileName, name: FileName, as id: RunID) throws -> FileSample

  /// The same for a drop that lies in done, failed or quarantine.
  /// - Throws: `HostError` where it is there no more, or is no regular file.
  func copyIn(filed filing: Filing, as id: RunID) throws -> FileSample

  /// Makes a copy whose run is recorded the drop of that run: `work/<id>/NAME`.
  func adoptCopy(_ id: RunID) throws

  /// The same for many, with one sync.
  func adoptCopies(_ ids: [RunID]) throws

  /// Begins to copy a drop that cannot be moved to where `adoptCopies` takes it; the source stays.
  ///
  /// - Parameter sample: the drop as it settled.
  /// - Returns: `nil` where it is gone, or no longer what settled.
  /// - Throws: `HostError`, also where the copy would leave less than `reserve` bytes free.
  func beginCopy(of name: FileName, _ sample: FileSample, as id: RunID, leaving reserve: Int) throws -> (any Copying)?

  /// Begins to give a claimed drop that has other names elsewhere bytes of its own.
  func beginUnsharing(
    of name: FileName, _ sample: FileSample, of id: RunID, leaving reserve: Int
  ) throws -> (any Copying)?

  /// Puts a durable copy in the place of the claimed drop it was made of.
  func finishUnsharing(of name: FileName, of id: RunID) throws

  /// Where what was claimed under this id lies, where it is filed already.
  func filedPlace(of id: RunID) throws -> Filing.Destination?

  /// Why a drop may not be removed from the inbox, in words, as far as can be told without doing it.
  func refusalToRemove(_ name: FileName) -> String?

  /// Makes copies survive a power cut; returns when they do.
  /// - Throws: `HostError`; the agent must then stop.
  func makeCopiesDurable(_ copies: [(id: RunID, name: FileName)]) throws

  /// Removes the source of a recorded copy from the inbox, and nothing that took its name since; not yet durable.
  /// - Throws: `HostError` where it may not be removed.
  func removeSource(_ name: FileName, _ sample: FileSample, of id: RunID) throws -> SourceRemoval

  /// Removes the done file of a claimed drop from the inbox, unless a drop of that name lies there; not yet durable.
  func removeDoneFile(_ doneFile: FileName, of name: FileName) throws

  /// Whose source waits for its removal in a directory of this name in the inbox; `nil` where the name is no such.
  func asideOwner(_ name: FileName) -> RunID?

  /// Moves what lies in such a directory back into the inbox, where its name is free.
  /// - Returns: whether something was moved.
  func giveBack(_ aside: FileName) throws -> Bool

  /// Makes removals from the inbox survive a power cut.
  func syncInbox() throws

  /// Removes the name in the inbox of a claimed drop that a torn rename left in both places.
  func releaseTwin(of name: FileName, of id: RunID) throws

  /// The run that says it put a claimed drop into the inbox.
  func makerMark(of name: FileName, of id: RunID) -> RunID?

  /// Copies that were begun and not adopted.
  func copiesInProgress() throws -> [RunID]

  /// Removes a copy whose run was never recorded.
  func discardCopy(_ id: RunID) throws

  /// Directories of `work/` and the files in them.
  func workInProgress() throws -> [(id: RunID, names: [FileName])]

  /// Removes an empty directory of `work/`.
  func discardWork(_ id: RunID) throws

  /// Lower-case hex SHA-256 of a claimed drop.
  func digest(of name: FileName, of id: RunID) throws -> String

  /// What a claimed drop and its directory look like; `nil` where either is gone.
  func state(of name: FileName, of id: RunID) -> DropState?

  /// Moves what lies beside a claimed drop to `runs/<id>/drop.beside/`; returns the names.
  func clear(besides name: FileName, of id: RunID) throws -> [FileName]

  /// stat(2) of an absolute path; `nil` where there is nothing.
  func sample(at path: String) -> FileSample?

  /// Lower-case hex SHA-256 of a file given by its absolute path.
  func digest(at path: String) throws -> String

  /// An absolute path of the claimed drop that any program can be given: an alias where the name is not UTF-8.
  func path(of name: FileName, of id: RunID) throws -> String

  /// The absolute path of `runs/<run>/`, made where it is missing.
  func runPath(_ run: RunID) throws -> String

  /// Makes the working directory of an attempt, empty, and returns its absolute path.
  ///
  /// Where nothing is published it stays with the run, also empty: an ext4 without a journal passes over every inode
  /// that was freed in the last minute, one by one, when it looks for a new one.
  func openAttempt(_ run: RunID, stage: String, n: Int) throws -> String

  /// Makes directories for what is to come while there is time, `most` of them; what cannot be made is left to
  /// `openAttempt`.
  func foresee(_ most: Int)

  /// Appends what a hook was told to `runs/<run>/hooks.ndjson`; what cannot be written is dropped.
  func noteRequest(_ line: [UInt8], of run: RunID)

  /// Keeps the beginning of a reply that could not be used as `runs/<run>/<name>.reply`.
  /// - Returns: the name of the file; `nil` where it could not be written.
  func keepReply(_ reply: [UInt8], of run: RunID, as name: String) -> String?

  /// The absolute path of the exit record of an attempt.
  func exitRecordPath(_ run: RunID, stage: String, n: Int) -> String

  /// Moves what the latest earlier attempt of the stage left in `checkpoint/` to the working directory of this one.
  /// - Returns: the absolute path of `checkpoint/`; `nil` where there is nothing in it.
  func takeCheckpoint(_ run: RunID, stage: String, n: Int) throws -> String?

  /// Publishes copies of what a run left as the outputs of an attempt, durably, each compared with its digest.
  ///
  /// - Parameter artifacts: of one stage, those of `earlier`.
  /// - Throws: `StaleArtifact` where one is gone or has other bytes: then nothing is published.
  func republish(
    _ artifacts: [Artifact], of earlier: RunID, as run: RunID, stage: String, n: Int
  ) throws -> [Artifact]

  /// Publishes the outputs of an attempt as `runs/<run>/<stage>/`, durably.
  /// - Throws: `HostError` naming the output that is missing, no regular file, or outside the directory.
  func publish(_ outputs: [StageReply.Output], _ run: RunID, stage: String, n: Int) throws -> [Artifact]

  /// Of files anywhere; it knows those of what it published.
  var digests: any Digests { get }

  /// The absolute path of an artifact.
  func path(of artifact: Artifact, run: RunID) -> String

  /// Moves drops of ended runs from `work/` to where they belong; not moved twice; durable on return.
  /// - Throws: `HostError` where it cannot be made durable; the agent must then stop.
  func file(_ filings: [Filing]) throws -> FilingReport

  /// What its filesystem still takes.
  func room() throws -> Room

  /// An absolute path of a drop that is done, for a later run on the same data.
  func path(ofDone name: FileName, of id: RunID, for run: RunID) throws -> String

  /// Size of a file given by its absolute path; `nil` where it is no regular file.
  func bytes(at path: String) -> Int?
}

/// An artifact that is not what it was when it was published, in words.
package struct StaleArtifact: Error, Equatable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// A claimed drop and `work/<id>/` around it, to tell later whether a program was at them.
package struct DropState: Sendable, Equatable {
  package var file: FileSample
  package var directory: FileSample

  package init(file: FileSample, directory: FileSample) {
    self.file = file
    self.directory = directory
  }
}

package enum ClaimOutcome: Sendable, Equatable {
  case claimed(FileSample)
  /// Somebody took it away first.
  case gone
  /// The spool is on another filesystem than the inbox.
  case otherFilesystem
  /// It may not be taken out of the inbox: why.
  case refused(String)
}

/// What did not go as it should when drops were filed.
package struct FilingReport: Sendable {
  /// Nowhere to be found: someone took them out of `work/`.
  package var missing: [Filing] = []
  /// Still in `work/`, and why.
  package var troubled: [(filing: Filing, reason: String)] = []

  package init() {}
}

/// One drop on its way out of `work/`.
package struct Filing: Sendable, Equatable {
  package enum Destination: String, Sendable, Codable, CaseIterable {
    case done
    case failed
    case quarantine
  }

  package var id: RunID
  /// `nil` where the run had no drop: its empty directory in `work/` goes.
  package var name: FileName?
  package var destination: Destination
  /// Written beside a quarantined drop.
  package var reason: String?

  package init(id: RunID, name: FileName?, destination: Destination, reason: String? = nil) {
    self.id = id
    self.name = name
    self.destination = destination
    self.reason = reason
  }
}
