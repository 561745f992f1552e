/// One record of a fan-out stage.
package struct Item: Sendable, Equatable {
  /// Its place among the items of the first stage of its flow, from 0: order and identity within a run.
  package var index: Int
  /// As people know it: its `id` member, or the number of its line.
  package var id: String
  /// One JSON object on one line.
  package var data: String

  package init(index: Int, id: String, data: String) {
    self.index = index
    self.id = id
    self.data = data
  }

  /// FNV-1a of what it is, 64 bits: tells whether an earlier outcome is about the same.
  package var digest: Int64 {
    // no UTF-8 has this byte: it stands between the two
    Int64(bitPattern: FNV1a.hash(data.utf8, from: FNV1a.hash([0xFF], from: FNV1a.hash(id.utf8))))
  }
}

package enum ItemState: String, Sendable, Codable, CaseIterable {
  case ok
  case failed
  /// Handed on as it came.
  case skipped
}

/// What one stage made of one item, as it is recorded.
package struct ItemOutcome: Sendable, Equatable {
  package var stage: String
  package var index: Int
  package var id: String
  package var state: ItemState
  /// Calls it took.
  package var tries: Int
  /// Why it is not `ok`, in words.
  package var reason: String?
  /// The next item, one JSON object; `nil` for one that failed.
  package var data: String?
  /// `Item.digest` of what the stage was given.
  package var digest: Int64

  package init(
    stage: String, index: Int, id: String, state: ItemState, tries: Int, reason: String? = nil, data: String? = nil,
    digest: Int64
  ) {
    self.stage = stage
    self.index = index
    self.id = id
    self.state = state
    self.tries = tries
    self.reason = reason
    self.data = data
    self.digest = digest
  }

  /// What the next stage is given of it.
  package var next: Item? { data.map { Item(index: index, id: id, data: $0) } }
}
