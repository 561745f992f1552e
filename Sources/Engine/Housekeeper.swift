package import Core
import Foundation
import Store
import Synchronization

/// Clears away what ended runs left when it is old enough: each night, and when a person asks.
///
/// Files go before the row that tells of them, and each removal stands alone: after a crash the next time goes on.
package final class Housekeeper: Sendable {
  /// Runs looked at in one step; others get their turn between two.
  private static let page = 500
  /// A file of a producer that was killed: nobody copies for longer.
  private static let producerAge: TimeInterval = 86400
  /// The hour of the night, local time.
  private static let hour = 4

  private let bench: Workbench
  private let bell = Bell()
  private let isStopping = Mutex(false)
  /// One at a time: two would count the same files twice.
  private let isBusy = Mutex(false)

  package init(bench: Workbench) { self.bench = bench }

  package struct Busy: Error, CustomStringConvertible {
    package let description = "old files are being cleared away just now: try again in a moment"
  }

  package func stop() {
    isStopping.withLock { $0 = true }
    bell.ring()
  }

  /// Sleeps until the night, clears away, and so on.
  /// - Throws: what the store throws.
  package func run() async throws {
    while !isStopping.withLock({ $0 }) {
      await bell.wait(atMost: untilNight(bench.now()), on: bench.clock)
      try Task.checkCancellation()
      if isStopping.withLock({ $0 }) { return }
      guard let clearance = try? await clear(dry: false) else { continue }
      if clearance.count > 0 { bench.say(.clearedAway(runs: clearance.runs, bytes: clearance.bytes)) }
      for trouble in clearance.troubles { bench.say(.clearingTroubled(trouble)) }
    }
  }

  private func untilNight(_ now: Date) -> Duration {
    let night = Calendar.current.nextDate(
      after: now, matching: DateComponents(hour: Self.hour, minute: 0), matchingPolicy: .nextTime)
    return .seconds(max(60, night?.timeIntervalSince(now) ?? 86400))
  }

  /// - Parameter dry: only tells what would go.
  /// - Throws: `Busy`, or what the store throws; what cannot be removed is told and passed over.
  package func clear(dry: Bool) async throws -> Clearance {
    let isFree = isBusy.withLock { isBusy in
      defer { isBusy = true }
      return !isBusy
    }
    guard isFree else { throw Busy() }
    defer { isBusy.withLock { $0 = false } }
    let now = bench.now()
    var clearance = Clearance()
    let rule = RetentionRule(bench.settings.retention, now: now, keeping: try await stillNeeded())
    for place in AtticPlace.allCases {
      try await clear(place, rule, now: now, dry: dry, &clearance)
    }
    if let age = bench.settings.retention.runs {
      try await forget(Retention(before: now - age / .seconds(1)), dry: dry, &clearance)
    }
    clearLitter(now: now, dry: dry, &clearance)
    return clearance
  }

  /// Later runs read the latest done drops; the last run of each pipeline has the report people open.
  private func stillNeeded() async throws -> Set<RunID> {
    let reader = bench.store.reader
    var kept: Set<RunID> = []
    for run in try await reader.lastEndedRunPerPipeline() {
      kept.insert(run.id)
      for done in try await reader.latestDoneDrop(pipeline: run.pipeline) { kept.insert(done.id) }
      kept.formUnion(try await reader.runs(pipeline: run.pipeline, state: .done, limit: 1).map(\.id))
    }
    return kept
  }

  private func clear(
    _ place: AtticPlace, _ rule: RetentionRule, now: Date, dry: Bool, _ clearance: inout Clearance
  ) async throws {
    guard let cutoff = rule.cutoff(place) else { return }
    var last: RunID?
    while true {
      let ids: [RunID]
      do { ids = try bench.spool.belongings(in: place, before: cutoff, after: last, limit: Self.page) } catch {
        clearance.troubles.append("\(error)")
        return
      }
      let known = try await bench.store.reader.runs(of: ids)
      let gone = ids.filter { rule.mayGo(place, of: $0, known[$0]) }
      if place == .artifacts, !dry { try await bench.store.forgetCached(of: gone) }
      for id in gone {
        do {
          let bytes = try bench.spool.bytes(in: place, of: id)
          if place == .logs, bytes == 0 { continue }
          if !dry { try bench.spool.clear(place, of: id) }
          clearance.places[place, default: .init()].count += 1
          clearance.places[place, default: .init()].bytes += bytes
        } catch { clearance.troubles.append("\(error)") }
      }
      guard ids.count == Self.page, !isStopping.withLock({ $0 }) else { return }
      last = ids.last
      await Task.yield()
    }
  }

  private func forget(_ retention: Retention, dry: Bool, _ clearance: inout Clearance) async throws {
    var after = 0
    while !isStopping.withLock({ $0 }) {
      let page = try await bench.store.reader.expired(retention, after: after)
      var gone: [RunID] = []
      if !dry { try await bench.store.forgetCached(of: page.runs.map(\.id)) }
      for run in page.runs {
        do {
          let bytes = try bench.spool.bytes(in: .artifacts, of: run.id)
          if !dry { try bench.spool.clear(.artifacts, of: run.id) }
          gone.append(run.id)
          // a dry run would count what the artifacts' own time takes
          let isCounted = dry && (bench.settings.retention.artifacts.map { $0 <= age(of: run) } ?? false)
          if bytes > 0, !isCounted {
            clearance.places[.artifacts, default: .init()].count += 1
            clearance.places[.artifacts, default: .init()].bytes += bytes
          }
        } catch { clearance.troubles.append("\(error)") }
      }
      clearance.runs += dry ? gone.count : try await bench.store.forget(runs: gone)
      guard let next = page.next else { return }
      after = next
      await Task.yield()
    }
  }

  private func age(of run: Run) -> Duration { .seconds(bench.now().timeIntervalSince(run.ended ?? bench.now())) }

  private func clearLitter(now: Date, dry: Bool, _ clearance: inout Clearance) {
    let retention = bench.settings.retention
    do {
      let litter = try bench.spool.litter(
        logsBefore: retention.logs.map { now - $0 / .seconds(1) }, producersBefore: now - Self.producerAge,
        cache: retention.cache)
      for one in litter {
        if !dry { try bench.spool.clear(one) }
        clearance.litter[one.kind, default: .init()].count += 1
        clearance.litter[one.kind, default: .init()].bytes += one.bytes
      }
    } catch { clearance.troubles.append("\(error)") }
  }
}
