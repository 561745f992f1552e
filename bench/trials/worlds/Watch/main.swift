import Foundation
import TrialWorlds

// `watch-replay [BLOCKS]`: years on stdin, one JSON object a line (bench/trials/README.md has the format); what the shipping watch
// makes of each on stdout. BLOCKS is how many paired blocks a night has room for (20).
let room = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 20
let encoder = JSONEncoder()
encoder.outputFormatting = [.sortedKeys]

while let line = readLine() {
  var nights = try JSONDecoder().decode(MeasuredNights.self, from: Data(line.utf8))
  let year = WatchedYear(
    &nights, margin: nights.margin, nights: nights.scores.count,
    blocksANight: min(room, nights.blocks.map(\.count).min() ?? 0))
  FileHandle.standardOutput.write(try encoder.encode(Outcome(year)) + Data("\n".utf8))
}

/// What became of a year.
struct Outcome: Encodable {
  var demotion: Int?
  var reason: String
  var alarms: Int
  var folds: Int
  var blocks: Int

  init(_ year: WatchedYear) {
    (demotion, reason) = (year.demotion, year.reason)
    (alarms, folds, blocks) = (year.alarms, year.folds, year.blocks)
  }
}
