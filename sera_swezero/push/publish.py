"""One push: plan, pull request, read back, merge, tag. Until the merge readers see the old version, after it the new.

All state is on the hub: the title of the pull request names the new manifest's digest and the commit that it starts
from, so a run that was killed anywhere is found and finished by the next one. Main is looked at first, and again right
before the merge. What slips in between is a conflict, because every version changes the manifest's first line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from sera_swezero.build import manifest
from sera_swezero.build.manifest import CARD, MANIFEST, Manifest
from sera_swezero.errors import PublishError, UpstreamError
from sera_swezero.hub.retry import RetryPolicy, is_transient
from sera_swezero.push import readback
from sera_swezero.push.difference import Difference, Send, difference
from sera_swezero.push.push_result import PushResult, failure
from sera_swezero.push.refusals import refuse, require_token
from sera_swezero.push.repository import PUSHING, Pull, Repository

BATCH = 25
"""The most files of one commit to the pull request: a killed push repeats no more than these. The hub advises fewer
than 100."""
_TAG = re.compile(r"\w[\w-]*(\.[\w-]+)*", re.ASCII)


def push(  # noqa: PLR0913 (the command's options, by the same names)
    folder: Path,
    repo: str,
    *,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    pr_only: bool = False,
    allow_sample: bool = False,
    allow_secrets: bool = False,
    policy: RetryPolicy = PUSHING,
    on_step: Callable[[str], None] = lambda _: None,
) -> PushResult:
    """Publish a built directory.

    Args:
        folder: what `build` made.
        repo: "owner/name"; created if need be.
        private: create it as a private repo.
        tag: name of a tag for the new version.
        dry_run: plan only. Nothing is written, and no token is needed for a public repo.
        pr_only: leave the checked pull request unmerged.
        allow_sample: publish even the made-up rows of the sample. A hub on this machine always takes them.
        allow_secrets: publish your own runs without looking for secrets in them.
        policy: how often to try each call, and how long to wait.
        on_step: called with a sentence for every step.

    Raises:
        PublishError: refused or failed; the message says whether readers see the old version or the new one.
    """
    local = manifest.read(folder)
    if local is None:
        msg = f"{folder} has no {MANIFEST}; expected a directory that `sera-swezero build` made"
        raise PublishError(msg)
    repository = Repository(repo=repo, policy=policy)
    if tag is not None and not _TAG.fullmatch(tag):
        msg = f"the tag {tag!r} is not a name that the hub takes; letters, digits and . _ - were expected, such as v1.0"
        raise PublishError(msg)
    refuse(folder, local, allow_sample=allow_sample or dry_run, allow_secrets=allow_secrets)
    if not dry_run:
        require_token(policy)
    run = _Push(repository=repository, folder=folder, local=local, tag=tag, on_step=on_step)
    try:
        return run.dry() if dry_run else run.publish(private=private, merge=not pr_only)
    except Exception as error:
        expected = (HfHubHTTPError, OfflineModeIsEnabled, UpstreamError, ValueError, OSError)
        if isinstance(error, expected) or is_transient(error):
            raise PublishError(failure(repo, run.stage, error)) from error
        raise


@dataclass
class _Push:
    """The steps of one push."""

    repository: Repository
    folder: Path
    local: Manifest
    """The folder's manifest."""
    tag: str | None
    on_step: Callable[[str], None]
    stage: str = "nothing was changed"
    """What readers see now, for errors."""

    def dry(self) -> PushResult:
        """Plan only."""
        return self._result("planned", self._plan(self.repository.head()))

    def publish(self, *, private: bool, merge: bool) -> PushResult:
        """Plan, propose, and merge if wanted."""
        base = self.repository.head()
        if base is None:
            self.repository.create(private=private)
            base = self.repository.head()
        if base is None:
            msg = f"{self.repository.repo} was created but cannot be read; does the token have access?"
            raise PublishError(msg)
        wanted = self._plan(base)
        self._check_tag(wanted.after)
        if wanted.empty:
            return self._finish("unchanged", wanted, base)
        try:
            pull, head = self._propose(wanted, base)
        except HfHubHTTPError:
            # Another push of this version may have merged the pull request that both were filling.
            if self.repository.head() == base:
                raise
            return self._lost(wanted)
        return self._merge(wanted, base, pull, head) if merge else self._result("proposed", wanted, pull=pull.num)

    def _plan(self, base: str | None) -> Difference:
        before = self.repository.tree(base) if base else {}
        old = self.repository.manifest(base, before) if base else None
        wanted = difference(self.folder, self.local, self.repository.repo, old, before)
        adds, deletions = len(wanted.add), len(wanted.delete)
        self.on_step(f"{self.repository.repo}: {adds} files to send ({wanted.bytes:,} bytes), {deletions} to delete")
        return wanted

    def _check_tag(self, after: Manifest) -> None:
        """Refuse a tag that names another version."""
        at = self.repository.tags().get(self.tag) if self.tag else None
        if at is None:
            return
        named = self.repository.manifest(at)
        if named is None or named.digest != after.digest:
            msg = f"{self.repository.repo}: the tag {self.tag!r} names another version ({at[:12]}); choose another name"
            raise PublishError(msg)

    def _propose(self, wanted: Difference, base: str) -> tuple[Pull, str]:
        """Make a pull request that holds exactly the new version; returns it and its head, which was read back."""
        digest = wanted.after.digest
        title = f"Publish {digest[:16]} on {base[:12]}"
        pull = self.repository.open_pull(title, wanted.description)
        self.on_step(f"pull request {pull.num}: {title}")
        head = self._fill(wanted, pull)
        problems = readback.version(self.repository, head, wanted)
        if problems:
            more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
            msg = f"{self._name(pull)} does not hold what was sent; it was not merged: {'; '.join(problems[:5])}{more}"
            raise PublishError(msg)
        self.on_step(f"pull request {pull.num}: read back, all as sent")
        return pull, head

    def _fill(self, wanted: Difference, pull: Pull) -> str:
        """Commit what the pull request lacks, and return its head."""
        before = None
        while True:
            head = self.repository.head(pull.ref)
            if head is None:
                msg = f"{self._name(pull)} has no commits to look at"
                raise PublishError(msg)
            sends, drops = wanted.missing(self.repository.tree(head))
            left = len(sends) + len(drops)
            if not left:
                return head
            if left == before:
                msg = f"{self._name(pull)} does not accept the commit; is another push running?"
                raise PublishError(msg)
            before = left
            self._commit(pull, head, sends, drops)

    def _commit(self, pull: Pull, head: str, sends: list[Send], drops: list[str]) -> None:
        # Data first; manifest, card and deletions come with the last batch.
        data = [one for one in sends if one.path not in (MANIFEST, CARD)]
        batch = data[:BATCH] if len(data) > BATCH else sends
        drops = [] if len(data) > BATCH else drops
        self.on_step(f"pull request {pull.num}: sending {len(batch)} of {len(sends)} files")
        content = {one.path: one.content for one in batch}
        self.repository.commit(pull, head, add=content, delete=drops, size=sum(one.size for one in batch))

    def _name(self, pull: Pull) -> str:
        return f"{self.repository.repo}: pull request {pull.num}"

    def _merge(self, wanted: Difference, base: str, pull: Pull, head: str) -> PushResult:
        self.repository.set_status(pull, "open")
        if self.repository.head() != base:
            return self._lost(wanted, pull)
        if self.repository.head(pull.ref) != head:
            msg = f"{self._name(pull)} was changed after {head[:12]}, which was read back; it was not merged"
            raise PublishError(msg)
        self._check_tag(wanted.after)
        self.stage = "the merge was sent and may have happened; run the same command again to be sure"
        merged = self.repository.merge(pull)
        if merged is None:
            self.stage = "nothing was changed"
            return self._lost(wanted, pull)
        self.stage = "the new version is published, but not all steps after it are done; run the same command again"
        commit = merged.merged_as or self.repository.head() or ""
        problems = wanted.faults(self.repository.tree(commit))
        if problems:
            msg = f"{self.repository.repo}: merged as {commit}, which is not what was sent: {'; '.join(problems[:5])}"
            raise PublishError(msg)
        return self._finish("published", wanted, commit, pull)

    def _lost(self, wanted: Difference, pull: Pull | None = None) -> PushResult:
        """End a push during which main has changed: another push was first."""
        now = self.repository.head() or ""
        there = self.repository.manifest(now)
        if pull is not None and self.repository.pull(pull.num).status != "merged":
            with contextlib.suppress(HfHubHTTPError):
                self.repository.set_status(pull, "closed")
        if there is not None and there.digest == wanted.after.digest:
            return self._finish("unchanged", wanted, now)
        msg = (
            f"{self.repository.repo}: another push was first: main is at {now[:12]}. Nothing was changed by this one; "
            "run the same command again to publish on top"
        )
        raise PublishError(msg)

    def _finish(self, done: str, wanted: Difference, commit: str, pull: Pull | None = None) -> PushResult:
        try:
            self._check_tag(wanted.after)
            if self.tag and self.tag not in self.repository.tags():
                self.repository.tag(self.tag, commit)
        except PublishError as error:
            msg = f"this version is published, as {commit[:12]}, and has no tag: {error}"
            raise PublishError(msg) from error
        return self._result(done, wanted, commit=commit, pull=pull.num if pull else None)

    def _result(self, done: str, wanted: Difference, commit: str = "", pull: int | None = None) -> PushResult:
        changed = done != "unchanged"
        return PushResult(
            repo=self.repository.repo,
            done=done,
            digest=wanted.after.digest,
            commit=commit,
            pull=pull,
            tag=self.tag,
            sent={one.path: one.size for one in wanted.add} if changed else {},
            deleted=wanted.delete if changed else (),
        )
