// swift-tools-version: 6.2
import PackageDescription

// Arrows point down only; `make lint` and every build check that no target imports what is not listed here.
// `PENSTOCK_FAILPOINTS=1` builds what `make torture` kills at named points (Sources/Core/Failpoint.swift)
let failpoints: [SwiftSetting] =
  Context.environment["PENSTOCK_FAILPOINTS"] == "1" ? [.define("FAILPOINTS")] : []

let strict: [SwiftSetting] =
  failpoints + [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
  ]

let arithmetic: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport", "Core"], swiftSettings: strict)
}

let package = Package(
  name: "penstock",
  products: [
    .executable(name: "penstock", targets: ["penstock"]),
    .executable(name: "penstock-spawner", targets: ["penstock-spawner"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // nouns, rules, and the seams
    target("Core", []),
    // what the numbers of trials say; optimised in every build, for the tests run thousands of nights
    .target(name: "Trials", dependencies: ["Core"], swiftSettings: strict + arithmetic),
    // what is remembered: the only place that knows SQL
    target(
      "Store",
      [
        "Core", "Trials", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    // how this machine does it: files, inotify, processes, YAML, sockets
    target("Host", ["Core", "CSystem", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "CSystem",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
      linkerSettings: [.linkedLibrary("crypto")]),
    // what the agent does
    target(
      "Engine",
      [
        "Core", "Trials", "Store",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    // the command line and the composition root
    .executableTarget(
      name: "penstock",
      dependencies: [
        "Core", "Trials", "Store", "Host", "Engine",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    // forks, limits, watches, sweeps and reaps; C alone, static and without the Swift runtime, so that its forks
    // are cheap (`-nostartfiles` of swiftc leaves out swiftrt.o only; crt1.o stays)
    .executableTarget(
      name: "penstock-spawner",
      cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"])],
      linkerSettings: [
        .unsafeFlags([
          "-static-executable", "-nostartfiles", "-Xlinker", "--gc-sections", "-Xlinker", "-s",
        ])
      ]),

    // what must stand any bytes: called by libFuzzer (fuzz/run.sh), and by the tests with the corpora
    .target(name: "FuzzTargets", dependencies: ["Core", "Host"], path: "fuzz/targets", swiftSettings: strict),
    // years of nights with the code that ships, in worlds whose truth is known: for the tests, and as a table
    .target(
      name: "TrialWorlds", dependencies: ["Core", "Trials"], path: "bench/trials/worlds/Worlds",
      swiftSettings: strict + arithmetic),
    .executableTarget(
      name: "trial-worlds", dependencies: ["Core", "Trials", "TrialWorlds"], path: "bench/trials/worlds/Table",
      swiftSettings: strict),
    // the search that ships, over grids of real data: for bench/trials
    .executableTarget(
      name: "race-replay", dependencies: ["Core", "Trials"], path: "bench/trials/worlds/Replay", swiftSettings: strict),
    // the watch that ships, over years drawn from real data: for bench/trials/drift.py
    .executableTarget(
      name: "watch-replay", dependencies: ["Trials", "TrialWorlds"], path: "bench/trials/worlds/Watch",
      swiftSettings: strict),
    target("TestSupport", ["Core"]),
    tests("CoreTests", []),
    tests("TrialsTests", ["Trials", "TrialWorlds"]),
    tests("StoreTests", ["Store", .product(name: "GRDB", package: "GRDB.swift")]),
    tests("HostTests", ["Host", "CSystem"]),
    tests("EngineTests", ["Engine", "Store", "Host", "Trials"]),
    tests("CommandTests", ["Store"]),
    tests("FuzzTests", ["FuzzTargets"]),
  ]
)
