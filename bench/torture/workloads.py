"""The workloads that every level of the torture uses: small, for three operations are enough, and of every kind."""

from __future__ import annotations

from expectation import Drop, Pipeline, Stage, Workload

OK = (("ok",),)
TWICE = ", retry: { attempts: 2, backoff: 1ms }"
THRICE = ", retry: { attempts: 3, backoff: 1ms }"
ONCE = (("failed", "ok"), ("ok",))

CHAIN = Pipeline(
    "chain", (Stage("first", "pass"), Stage("second", "pass", reads="first"), Stage("third", "quiet", reads="second"))
)
LOOSE = Pipeline("loose", (Stage("only", "quiet"),))
NEEDS = Pipeline(
    "needs",
    (
        Stage("left", "pass"),
        Stage("right", "never", (("failed",),), reads="-", extra=", on_error: continue"),
        Stage("both", "quiet", reads="left", extra=", needs: [left]"),
    ),
)

HOOKED = Pipeline(
    "hooked",
    (Stage("first", "pass"), Stage("second", "quiet", reads="first")),
    hooks=(("before-run", "allow"), ("before-first", "patch"), ("after-stage", "ignored"), ("after-run", "allow")),
)
DENIED = Pipeline(
    "denied", (Stage("first", "quiet", ((),)),), "quarantined", (("on-arrival", "deny"), ("on-quarantine", "ignored"))
)
PASSED = Pipeline("passed", (Stage("first", "quiet", ((),)),), "done", (("before-run", "pass-over"),))
STOPPED = Pipeline(
    "stopped",
    (Stage("first", "quiet", (("denied",),)), Stage("second", "quiet", ((),))),
    "failed",
    (("before-first", "deny"), ("after-run", "ignored")),
)
DELAYED = Pipeline(
    "delayed", (Stage("first", "pass"), Stage("second", "quiet", reads="first")), hooks=(("before-second", "defer"),)
)
DEFERRED = Pipeline("deferred", (Stage("first", "quiet"),), hooks=(("before-run", "defer"),))

WATCHED = (("after-stage", "ignored"), ("after-run", "ignored"))
BROKEN = Pipeline(
    "broken",
    (Stage("good", "pass"), Stage("bad", "fail", (("failed", "failed"),), reads="good", extra=TWICE)),
    "failed",
    WATCHED,
)
FLAKY = Pipeline(
    "flaky",
    (Stage("shaky", "flaky", ONCE, extra=THRICE), Stage("later", "later", ONCE, reads="shaky", extra=THRICE)),
    hooks=WATCHED,
)
GUARDED = Pipeline(
    "guarded", (Stage("one", "slow", on_interrupt="fail"), Stage("two", "quiet", reads="one", on_interrupt="fail"))
)
HELD = Pipeline("held", (Stage("one", "pass"), Stage("two", "slow", on_interrupt="hold", reads="one")))
SKIPS = Pipeline("skips", (Stage("nothing", "skip", (("skipped",),)), Stage("after", "quiet")))
RESCUED = Pipeline(
    "rescued",
    (
        Stage("weak", "fail", (("failed", "failed"),), extra=", fallback: { params: { x: 1 } }, on_error: continue"),
        Stage("end", "quiet"),
    ),
)

CONFIGURED = Pipeline(
    "configured",
    (Stage("read", "pass", reads="-"), Stage("tell", "quiet", reads="read")),
    extra="data: { sources: [ { type: csv, path: samples/source.csv } ] }\n",
    on_config=True,
)
HAND = Pipeline("hand", (Stage("first", "pass"), Stage("second", "quiet", reads="first")))


def drops(*names: str) -> tuple[Drop, ...]:
    return tuple(Drop(name.encode()) for name in names)


PLAIN = Workload(
    "plain",
    (CHAIN, LOOSE, NEEDS),
    (
        *drops("chain-a", "loose-b", "needs-c"),
        Drop(b"chain-big", size=1_200_000),
        Drop(b"loose-\xff\n\x1b", size=9),
        Drop(b"loose-link", "link"),
        Drop(b"nobody-takes-it", "unmatched"),
    ),
    drops("chain-a", "loose-late"),
)
BATCH = Workload("batch", (LOOSE,), drops(*(f"loose-{n}" for n in range(9))), drops("loose-0", "loose-5"))
HOOKS = Workload(
    "hooks",
    (HOOKED, DENIED, PASSED, STOPPED, DEFERRED, DELAYED),
    drops("hooked-a", "denied-b", "passed-c", "stopped-d", "deferred-e", "delayed-f"),
    drops("denied-b", "hooked-a"),
    folders=(("after-run", "10-ignored"),),
)
TROUBLE = Workload(
    "trouble",
    (BROKEN, FLAKY, GUARDED, HELD, SKIPS, RESCUED),
    drops("broken-a", "flaky-b", "guarded-c", "held-d", "skips-e", "rescued-f"),
    drops("broken-a", "held-g"),
)
HANDS = Workload(
    "hands",
    (HAND, CONFIGURED),
    drops("hand-a"),
    command=("run", "hand", "--input", "{home}/samples/mine.csv"),
)
CONFIGS = Workload("configs", (CONFIGURED, LOOSE), drops("loose-a"))

TWIN = Pipeline("twin", (Stage("first", "quiet", (("ok",), ())),), trigger=", duplicates: skip")
SAME = b"the same again\n"

COPIED = Workload(
    "copied",
    (CHAIN, LOOSE, TWIN),
    (
        *(Drop(f"chain-hard{n}".encode(), "hard") for n in range(3)),
        *drops("loose-moved"),
        Drop(b"twin-1", content=SAME),
        Drop(b"loose-big", "hard", size=1_200_000),
    ),
    (Drop(b"twin-2", content=SAME), Drop(b"twin-3"), Drop(b"chain-hard1", "hard"), Drop(b"loose-moved")),
)
FOREIGN = Workload(
    "foreign", (CHAIN, LOOSE), drops("chain-a", "loose-b", "loose-c"), drops("loose-b", "chain-d"), is_foreign=True
)
KEPT = Workload(
    "kept", (CHAIN, LOOSE), drops("chain-a", "loose-b"), drops("loose-late"), settings="source: keep\n", keeps=True
)

RETRIED = Workload(
    "retried",
    (BROKEN, DENIED),
    drops("broken-a", "denied-b"),
    drops("broken-c"),
    before=(("up", "--once"),),
    command=("retry", "--all"),
)
CLEARED = Workload(
    "cleared",
    (LOOSE, CHAIN, DENIED),
    (
        *drops(*(f"loose-{n}" for n in range(13))),
        *drops("chain-a", "chain-b", "denied-c"),
        *(Drop(b"loose-link%d" % n, "link") for n in range(12)),
    ),
    drops("loose-0"),
    before=(("up", "--once"), ("pause",)),
    command=("gc",),
    settings="retention: { runs: 1s, artifacts: 1s, logs: 1s }\n",
)

PUTTING = Workload(
    "putting",
    (LOOSE,),
    (),
    drops("loose-late"),
    command=("put", "{home}/samples/mine.csv", "--as", "loose-put"),
    puts=Drop(b"loose-put"),
)

SEALED = Workload(
    "sealed",
    (Pipeline("sealed", (Stage("first", "quiet"),), trigger=', done_file: "${name}.ok"', inbox="sealed-*.csv"), LOOSE),
    (
        *drops("sealed-a.csv", "loose-b"),
        Drop(b"sealed-a.csv.ok", "seal"),
        Drop(b"sealed-open.csv", "unmatched"),
        *drops("sealed-c.csv"),
        Drop(b"sealed-c.csv.ok", "seal"),
    ),
    (*drops("sealed-a.csv"), Drop(b"sealed-a.csv.ok", "seal")),
)

# branches beside each other: two open attempts of one run
FORKED = Pipeline(
    "forked",
    (
        Stage("first", "pass"),
        Stage("left", "pass", reads="first"),
        Stage("right", "slow", reads="first", extra=", needs: [first]"),
        Stage("join", "quiet", reads="left", extra=", needs: [left, right]"),
    ),
)
PARTED = Pipeline(
    "parted",
    (
        Stage("ends", "slow", on_interrupt="fail"),
        Stage("waits", "later", ONCE, reads="-", extra=THRICE + ", needs: []"),
        Stage("after", "quiet", reads="-", extra=", needs: [ends, waits]"),
    ),
)
# both at work at once: the strictest word on interruptions counts, whichever began first
PAIRED = Pipeline(
    "paired",
    (
        Stage("again", "slow"),
        Stage("never", "slow", on_interrupt="fail", extra=", needs: []"),
        Stage("then", "quiet", reads="-", extra=", needs: [again, never]"),
    ),
)
GRAPH = Workload(
    "graph",
    (FORKED, PARTED, PAIRED),
    drops("forked-a", "parted-b", "forked-c", "paired-e"),
    drops("forked-a", "parted-d"),
    settings="concurrency: 4\n",
)

# a worker that is given call after call
WARM = Pipeline(
    "warm", (Stage("first", "warm"), Stage("second", "quiet", reads="-"), Stage("third", "warm", reads="-"))
)
STAYING = Workload("staying", (WARM, LOOSE), drops("warm-a", "loose-b", "warm-c"), drops("warm-d"))

LITTERED = Pipeline("littered", (Stage("leave", "litter"), Stage("look", "after-litter")))
HUNG = Pipeline(
    "hung", (Stage("wait", "hang", (("timeout",),), extra=", timeout: 200ms"), Stage("never", "quiet", ((),))), "failed"
)
ESCAPED = Pipeline("escaped", (Stage("out", "escape", (("failed",),)),), "failed")
VOIDED = Pipeline("voided", (Stage("first", "pass", (("denied",),)),), "failed", (("after-first", "deny"),))
# what need not be killed everywhere: what it comes to says enough
CHECKED = Workload(
    "checked", (LITTERED, HUNG, ESCAPED, VOIDED), drops("littered-a", "hung-b", "escaped-c", "littered-d", "voided-e")
)

ALL = (
    PLAIN,
    BATCH,
    HOOKS,
    TROUBLE,
    HANDS,
    RETRIED,
    CLEARED,
    PUTTING,
    COPIED,
    FOREIGN,
    KEPT,
    SEALED,
    CONFIGS,
    GRAPH,
    STAYING,
)
BY_NAME = {workload.name: workload for workload in ALL}
