import Foundation
import TrialWorlds

// `swift run -c release trial-worlds [boundary|grids|drift|planning] [WORLDS]`: the tables of docs/trials.md, in worlds whose truth is
// known, with the code that ships.
let words = CommandLine.arguments.dropFirst()
let wanted = words.first ?? "all"
let worlds = words.dropFirst().first.flatMap { Int($0) }

if ["all", "planning"].contains(wanted) { PlanningTable(worlds: worlds ?? 10).print() }
if ["all", "boundary"].contains(wanted) { BoundaryTable(worlds: worlds ?? 1_000).print() }
if ["all", "grids"].contains(wanted) { GridTable(worlds: worlds ?? 100).print() }
if ["all", "drift"].contains(wanted) { DriftTable(worlds: worlds ?? 400).print() }
