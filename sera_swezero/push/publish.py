"""One push: plan, pull request, read back, merge, tag. Until the merge readers see the old version, after it the new.

All state is on the hub: the pull request carries the new manifest's digest and the commit it starts from in its title,
so a run that was killed anywhere is found and finished by the next one. A look at main comes first and again right
before the merge, and what slips in between is a conflict, because every version changes the manifest's first line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from sera_swezero.build import manifest
from sera_swezero.build.manifest import CARD, MANIFEST, Manifest
from sera_swezero.errors import PublishError
from sera_swezero.push import readback
from sera_swezero.push.difference import Plan, Send, plan
from sera_swezero.push.patience import Patience, status, transient
from sera_swezero.push.repository import Pull, Remote, drop, send
from sera_swezero.push.token import require_token

BATCH = 25
"""Files of one commit to the pull request: a killed push repeats at most so many. The hub advises fewer than 100."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a push came to.

    done: "published", "unchanged" (the repo holds this version), "planned" (a dry run), "proposed" (a pull request).
    commit: main's commit that holds the version, "" unless published or unchanged. pull: the pull request's number.
    """

    repo: str
    done: str
    digest: str
    commit: str = ""
    pull: int | None = None
    tag: str | None = None
    sent: dict[str, int] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()


def push(
    folder: Path,
    repo: str,
    *,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    pr_only: bool = False,
    patience: Patience | None = None,
    say: Say = lambda _: None,
) -> Outcome:
    """Publish a built directory.

    Args:
        folder: what `build` made.
        repo: "owner/name"; created if need be.
        private: create it private.
        tag: name of a tag for the new version.
        dry_run: plan only; nothing is written, no token is needed for a public repo.
        pr_only: leave the checked pull request unmerged.
        patience: how often and how long to try.
        say: is told of every step.

    Raises:
        PublishError: refused or failed; the message says whether readers see the old version or the new one.
    """
    patience = patience or Patience()
    local = manifest.read(folder)
    if local is None:
        msg = f"{folder} has no {MANIFEST}; expected a directory that `sera-swezero build` made"
        raise PublishError(msg)
    if not dry_run:
        require_token(patience)
    run = _Run(Remote(repo, patience), folder, local, tag, patience, say)
    try:
        return run.dry() if dry_run else run.publish(private=private, merge=not pr_only)
    except (HfHubHTTPError, OfflineModeIsEnabled, ValueError, OSError) as error:
        raise PublishError(_explained(repo, run.stage, error)) from error
    except Exception as error:
        if transient(error):
            raise PublishError(_explained(repo, run.stage, error)) from error
        raise


def _explained(repo: str, stage: str, error: Exception) -> str:
    code = status(error)
    hints = {
        401: "the token is not valid, or there is none",
        403: "the token may not write here: it needs write access to this repo",
        404: "no such repo, or the token does not open it",
    }
    silent = "the hub did not answer" if transient(error) else "the push failed"
    why = hints.get(code or 0, "the hub did not take it" if code else silent)
    return f"{repo}: {stage}: {why}: {type(error).__name__}: {error}"


@dataclass
class _Run:
    """The steps of one push. `stage` says for an error what readers see."""

    remote: Remote
    folder: Path
    local: Manifest
    tag: str | None
    patience: Patience
    say: Say
    stage: str = "nothing was changed"

    def dry(self) -> Outcome:
        return self._told("planned", self._plan(self.remote.head()))

    def publish(self, *, private: bool, merge: bool) -> Outcome:
        base = self.remote.head()
        if base is None:
            self.remote.create(private=private)
            base = self.remote.head()
        if base is None:
            msg = f"{self.remote.repo} was created and cannot be seen; does the token open it?"
            raise PublishError(msg)
        wanted = self._plan(base)
        self._check_tag(wanted.after)
        if wanted.empty:
            return self._finish("unchanged", wanted, base)
        pull = self._propose(wanted, base)
        if not merge:
            return self._told("proposed", wanted, pull=pull.num)
        return self._merge(wanted, base, pull)

    def _plan(self, base: str | None) -> Plan:
        before = self.remote.tree(base) if base else {}
        old = self.remote.manifest(base, before) if base else None
        wanted = plan(self.folder, self.local, self.remote.repo, old, before)
        count, gone = len(wanted.add), len(wanted.delete)
        self.say(f"{self.remote.repo}: {count} files to send ({wanted.bytes:,} bytes), {gone} to delete")
        return wanted

    def _check_tag(self, after: Manifest) -> None:
        """Refuse a tag that names another version, before anything is sent."""
        at = self.remote.tags().get(self.tag) if self.tag else None
        if at is None:
            return
        named = self.remote.manifest(at)
        if named is None or named.digest != after.digest:
            msg = f"{self.remote.repo}: the tag {self.tag!r} names another version ({at[:12]}); choose another name"
            raise PublishError(msg)

    def _propose(self, wanted: Plan, base: str) -> Pull:
        """A pull request that holds exactly the new version, checked."""
        digest = wanted.after.digest
        title = f"Publish {digest[:16]} on {base[:12]}"
        pull = self.remote.open_pull(title, wanted.description)
        self.say(f"pull request {pull.num}: {title}")
        head = self._fill(wanted, pull)
        problems = wanted.faults(self.remote.tree(head))
        if not problems:
            sent = {one.path for one in wanted.add}
            files = [built for built in wanted.after.files if built.path in sent]
            problems = readback.footers(self.remote.repo, head, files, self.patience)
        if not problems:
            names = readback.affected(wanted.after, wanted.changed)
            few = Patience(min(self.patience.attempts, 4), self.patience.first, self.patience.longest)
            problems = readback.rows(self.remote.repo, head, wanted.after, names, readback.SAMPLE, few)
        if problems:
            told = "; ".join(problems[:5]) + (f"; and {len(problems) - 5} more" if len(problems) > 5 else "")
            msg = f"{self.remote.repo}: pull request {pull.num} does not hold what was sent; it was not merged: {told}"
            raise PublishError(msg)
        self.say(f"pull request {pull.num}: read back, all as sent")
        return pull

    def _fill(self, wanted: Plan, pull: Pull) -> str:
        """Commit what the pull request lacks; returns its head."""
        before = None
        while True:
            head = self.remote.head(pull.ref)
            if head is None:
                msg = f"{self.remote.repo}: pull request {pull.num} has no commits to look at"
                raise PublishError(msg)
            sends, drops = wanted.missing(self.remote.tree(head))
            left = len(sends) + len(drops)
            if not left:
                return head
            if left == before:
                msg = f"{self.remote.repo}: pull request {pull.num} does not take what is sent; is another push at it?"
                raise PublishError(msg)
            before = left
            self._commit(pull, head, sends, drops)

    def _commit(self, pull: Pull, head: str, sends: list[Send], drops: list[str]) -> None:
        # Data first; manifest, card and deletions come with the last batch.
        data = [one for one in sends if one.path not in (MANIFEST, CARD)]
        batch = data[:BATCH] if len(data) > BATCH else sends
        gone = [] if len(data) > BATCH else drops
        self.say(f"pull request {pull.num}: sending {len(batch)} of {len(sends)} files")
        operations = [*(send(one.path, one.content) for one in batch), *(drop(path) for path in gone)]
        self.remote.commit(pull, head, operations, f"Send {len(batch)} files, delete {len(gone)}")

    def _merge(self, wanted: Plan, base: str, pull: Pull) -> Outcome:
        if self.remote.head() != base:
            return self._lost(wanted, pull)
        self.remote.set_status(pull, "open")
        self.stage = "the merge was sent and may have happened; run the same command again to be sure"
        merged = self.remote.merge(pull)
        if merged is None:
            self.stage = "nothing was changed"
            return self._lost(wanted, pull)
        self.stage = "the new version is published, but not all steps after it are done; run the same command again"
        commit = merged.merged_as or self.remote.head() or ""
        problems = wanted.faults(self.remote.tree(commit))
        if problems:
            msg = f"{self.remote.repo}: merged as {commit}, which is not what was sent: {'; '.join(problems[:5])}"
            raise PublishError(msg)
        return self._finish("published", wanted, commit, pull)

    def _lost(self, wanted: Plan, pull: Pull) -> Outcome:
        """Main has changed under way: another push won."""
        now = self.remote.head() or ""
        there = self.remote.manifest(now)
        if self.remote.pull(pull.num).status != "merged":
            with contextlib.suppress(HfHubHTTPError):
                self.remote.set_status(pull, "closed")
        if there is not None and there.digest == wanted.after.digest:
            return self._finish("unchanged", wanted, now)
        msg = (
            f"{self.remote.repo}: another push was first: main is at {now[:12]}. Nothing was changed by this one, its "
            f"pull request {pull.num} is closed; run the same command again to publish on top"
        )
        raise PublishError(msg)

    def _finish(self, done: str, wanted: Plan, commit: str, pull: Pull | None = None) -> Outcome:
        if self.tag:
            at = self.remote.tags().get(self.tag)
            if at is None:
                self.remote.tag(self.tag, commit)
        return self._told(done, wanted, commit=commit, pull=pull.num if pull else None)

    def _told(self, done: str, wanted: Plan, commit: str = "", pull: int | None = None) -> Outcome:
        sent = {} if done == "unchanged" else {one.path: one.size for one in wanted.add}
        deleted = () if done == "unchanged" else wanted.delete
        return Outcome(self.remote.repo, done, wanted.after.digest, commit, pull, self.tag, sent, deleted)
