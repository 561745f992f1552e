import Foundation
import Trials

// `race-replay [thorough] [relaxed] [RUNS]`: grids on stdin, one JSON object a line; what the shipping search picks of each on
// stdout. RUNS are the production runs ahead that profit (5000); `relaxed` relaxes the guard, for the truth of a grid is that
// of its rows.
let words = CommandLine.arguments.dropFirst()
let form: RacePlan.Form = words.contains("thorough") ? .thorough : .economical
let guarding: RacePlan.Guarding = words.contains("relaxed") ? .relaxed : .required
let runs = words.lazy.compactMap { Double($0) }.first ?? 5_000
let encoder = JSONEncoder()
encoder.outputFormatting = [.sortedKeys]

while let line = readLine() {
  let grid = try JSONDecoder().decode(Grid.self, from: Data(line.utf8))
  let answer = Answer(grid, grid.plan(form: form, guarding: guarding, runsAhead: runs))
  FileHandle.standardOutput.write(try encoder.encode(answer) + Data("\n".utf8))
}
