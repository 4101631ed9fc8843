"""What every page builds on: the workbench, the header's filters, the footer and the long work of the server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from assistant.roles import need
from assistant.ui.parts import Json, foot
from assistant.ui.work import user_of, watch
from assistant.worker import Worker

if TYPE_CHECKING:
    from assistant.workbench import Workbench

# How every listener is registered: none of them is an endpoint of the API.
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
MINIMAL: dict[str, Any] = {"api_visibility": "private", "show_progress": "minimal"}  # for clicks: the browser shows at once that work has begun


@dataclass(frozen=True, slots=True)
class Shell:
    """The workbench and the components that stand on every page."""

    bench: "Workbench"
    jobs: Worker
    as_of: Any
    frameworks: Any
    tabs: Any
    footer: Any
    facts: Any  # facts for applicability that a person set on the Card page, which Gaps uses
    who: Any = None
    project: Any = None  # the id of the project that is chosen in the header

    def acting(self, request: Any, what: str = "ask") -> AbstractContextManager[None]:
        """The verbs called inside are recorded under the name of the user who made the request. Raises Refused where the role does not cover `what`."""
        need(self.role(request), what)
        return self.bench.acting(user_of(request))

    def run_of(self, id: str, shown: Callable[[Json], str]) -> Iterator[tuple[str, Json | None]]:
        """What to show until a job ends; when it is done, what `shown` makes of the run that came of it, with that run."""
        yield from ((seen, None) for seen in watch(self.jobs, id))
        if (job := self.jobs.job(id)).state == "done":
            made = self.bench.run(job.run)
            yield shown(made), made

    def user(self, request: Any) -> str:
        """The name under which what a request does is recorded."""
        with self.bench.acting(user_of(request)):
            return self.bench.user

    def role(self, request: Any) -> str:
        """The role of who made the request, as it is now; "" for a user who is no more."""
        return self.bench.role(user_of(request))

    def foot(self, request: gr.Request) -> str:
        """The footer as it is now."""
        with self.acting(request):
            return foot(self.bench.standing())
