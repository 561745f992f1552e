import ArgumentParser
import Core
import Foundation
import Host
import Store

struct ScheduleNext: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "next", abstract: "Tells the next slots, with what the clocks do on their days.",
    discussion: "Also of pipelines that are paused: then it tells what would come.")

  @OptionGroup var place: Place
  @Argument(help: "How many slots.") var count = 10
  @Option(help: "Only of this pipeline.") var pipeline: String?
  @Option(help: "From this moment on, RFC 3339; from now if unsaid.") var from: String?

  func validate() throws {
    guard (1...10_000).contains(count) else { throw ValidationError("a number of slots is from 1 to 10000") }
  }

  func run() async throws {
    let (versions, reader) = try await place.versionsInForce(try place.workspace())
    let start = try from.map { text in
      guard let date = Timestamp.date(text) else {
        throw CommandFailure("`\(Display.brief(text))` is no moment such as `2026-03-29T00:00:00+01:00`")
      }
      return date
    }
    var views = try await ScheduleView.all(versions, reader, now: start ?? Date())
    if let pipeline {
      views = views.filter { $0.pipeline == pipeline }
      if views.isEmpty { throw CommandFailure("no pipeline `\(Display.brief(pipeline))` has a schedule") }
    }
    if let start, start >= Timestamp.end {
      throw CommandFailure("--from: no slot is told after the year 9999, got `\(Display.brief(from ?? ""))`")
    }
    try place.give(SlotForecast(views, count: count))
  }
}

/// The next slots of some pipelines, the earliest first.
struct SlotForecast: Answer {
  private var slots: [(view: ScheduleView, due: Date)]

  init(_ views: [ScheduleView], count: Int) {
    let all = views.flatMap { view in
      view.slots(after: Int(view.now.timeIntervalSince1970) - view.delay, count: count).map { (view: view, due: $0) }
    }
    slots = all.sorted { ($0.view.fires($0.due), $0.view.pipeline) < ($1.view.fires($1.due), $1.view.pipeline) }
    slots.removeLast(max(0, slots.count - count))
  }

  private static func local(_ view: ScheduleView, _ due: Date) -> String {
    guard case .cron(let cron) = view.slots else { return Timestamp.text(due) }
    let offset = cron.zone.offset(at: Int(due.timeIntervalSince1970))
    return Timestamp.text(due, in: TimeZone(secondsFromGMT: offset) ?? .gmt)
  }

  func json() -> JSON {
    let entries = slots.map { view, due -> JSON in
      let mark = view.mark(of: due)
      return [
        "pipeline": .string(view.pipeline), "due": .string(Self.local(view, due)),
        "utc": .string(Timestamp.text(due, in: .gmt)), "fires": .string(Timestamp.text(view.fires(due), in: .gmt)),
        "tz": view.zone.map { .string($0) } ?? .null, "dst": mark.map { .string($0.kind.rawValue) } ?? .null,
        "note": mark.map { .string($0.words) } ?? .null, "paused": .bool(view.paused != nil),
      ]
    }
    return ["api": 1, "slots": .array(entries)]
  }

  func lines(_ output: Output) -> [String] {
    if slots.isEmpty { return [ScheduleTable.none] }
    var table = Table([
      .left("local"), .left("utc"), .giving("zone"), .giving("pipeline"), .left("begins"), .giving("note"),
    ])
    for (view, due) in slots {
      let mark = view.mark(of: due)
      let utc = Timestamp.text(due, in: .gmt)
      let notes = [view.paused == nil ? nil : "paused", mark?.words].compactMap { $0 }
      table.add([
        .init(Self.minute(Self.local(view, due))), .init(String(utc.dropFirst(11).prefix(8)) + "Z"),
        .init(Shown.words(view.zone ?? "")), .init(Shown.words(view.pipeline), .strong),
        .init(view.delay == 0 ? "" : "\(Quantity.text(.seconds(view.delay))) later"),
        .init(notes.joined(separator: "; "), mark == nil ? .quiet : .odd),
      ])
    }
    return table.lines(output)
  }

  /// `2026-03-29 03:00+02:00`, with the seconds where there are any.
  private static func minute(_ text: String) -> String {
    let seconds = text.dropFirst(17).prefix(2)
    let offset = text.dropFirst(23)
    return "\(text.prefix(10)) \(text.dropFirst(11).prefix(seconds == "00" ? 5 : 8))\(offset)"
  }
}
