"""What must become of a drop, stage by stage; interruptions aside, for they burn no attempt."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Stage:
    """One stage of a pipeline, as far as the judge must know it."""

    name: str
    mode: str
    # what its attempts may come to, in order, interrupted ones left out
    states: tuple[tuple[str, ...], ...] = (("ok",),)
    on_interrupt: str = "retry"
    # the stage whose output it is given; "" is the drop, "-" is not looked at
    reads: str = ""
    extra: str = ""

    @property
    def yaml(self) -> str:
        policy = f", on_interrupt: {self.on_interrupt}" if self.on_interrupt != "retry" else ""
        words = '"./stages/effect", ' + self.mode + ', "${input}"'
        program = "uses: warm" if self.mode == "warm" else f"run: [{words}]"
        return f"  - {{ name: {self.name}, {program}{policy}{self.extra} }}\n"


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """A pipeline of a workload and what its runs come to."""

    name: str
    stages: tuple[Stage, ...]
    state: str = "done"
    hooks: tuple[tuple[str, str], ...] = ()
    extra: str = ""
    on_config: bool = False
    trigger: str = ""
    inbox: str = ""

    def builds_on(self, name: str) -> set[str]:
        """The stages a stage needs, and what those need."""
        reached: set[str] = set()
        wanted = [name]
        while wanted:
            new = set(self._needs(wanted.pop())) - reached
            reached |= new
            wanted += new
        return reached

    def _needs(self, name: str) -> list[str]:
        index = next(i for i, stage in enumerate(self.stages) if stage.name == name)
        said = re.search(r"needs: \[([^\]]*)\]", self.stages[index].extra)
        if said:
            return [word.strip() for word in said[1].split(",") if word.strip()]
        return [self.stages[index - 1].name] if index else []

    @property
    def yaml(self) -> str:
        hooks = "".join(
            f'  {event}: [ {{ run: ["./stages/effect", {mode}], on_error: warn }} ]\n' for event, mode in self.hooks
        )
        trigger = '"source"' if self.on_config else f'"{self.inbox or self.name + "-*"}"'
        config = ", on_config: true" if self.on_config else ""
        return (
            f"pipeline: {{ name: {self.name} }}\ntrigger: {{ inbox: {trigger}{config}{self.trigger} }}\n{self.extra}stages:\n"
            + "".join(stage.yaml for stage in self.stages)
            + ("hooks:\n" + hooks if hooks else "")
        )


@dataclasses.dataclass(frozen=True)
class Drop:
    """One name in the inbox.

    `kind` is file, link, unmatched, hard (it has a second name elsewhere), or seal (what a drop waits for, and no drop).
    """

    name: bytes
    kind: str = "file"
    size: int = 40
    # bytes of its own, where two drops shall have the same
    content: bytes = b""

    @property
    def pipeline(self) -> str:
        return self.name.split(b"-")[0].decode()


@dataclasses.dataclass(frozen=True)
class Workload:
    """Pipelines, what is dropped before the agent starts, and what while it is dead."""

    name: str
    pipelines: tuple[Pipeline, ...]
    drops: tuple[Drop, ...]
    late: tuple[Drop, ...] = ()
    # what is done in peace before anything happens
    before: tuple[tuple[str, ...], ...] = ()
    # words of a command other than `up --once`
    command: tuple[str, ...] = ("up", "--once")
    # what the command drops, should it come to that
    puts: Drop | None = None
    settings: str = ""
    # the inbox is a filesystem of its own, so that drops must be copied in; needs root
    is_foreign: bool = False
    # drops stay in the inbox
    keeps: bool = False
    # hooks of directories: event and program name
    folders: tuple[tuple[str, str], ...] = ()

    def pipeline(self, name: str) -> Pipeline | None:
        return next((p for p in self.pipelines if p.name == name), None)
