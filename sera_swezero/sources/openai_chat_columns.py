"""The columns of chats: of the rectified view, and of the native view of each shape of set.

Upstream's own columns keep their names, but for the list of messages, which is `messages` in every set.
"""

from __future__ import annotations

from sera_swezero.schemas.columns import Column, filled_text, optional_text
from sera_swezero.sources.source import MESSAGES

INSTANCE_ID = filled_text("The task's own id, as far as the row names one.")
TRAJECTORY_ID = optional_text("The rollout's own id.")
REPO = optional_text("Owner and repository.")
PATCH = optional_text("The diff that the rollout left.")
RESOLVED = Column(type="int64", nullable=True, about="Whether the tests passed: 1 or 0; -1 where nobody tried.")
CHAT = Column(type="string", about="JSON text of the list of messages, whatever its column is called upstream.")
TOOLS = optional_text("JSON text of the list of tools that the model could call; null where nobody names them.")

RECTIFIED_COLUMNS = {
    "messages": MESSAGES,
    "instance_id": INSTANCE_ID,
    "trajectory_id": TRAJECTORY_ID,
    "repo": REPO,
    "exit_status": optional_text("How the rollout ended: submitted, incomplete or errored."),
    "exit_status_detail": optional_text("The same in upstream's words; empty where it has none."),
    "resolved": RESOLVED,
    "model_patch": PATCH,
}

_CHAT = {"instance_id": INSTANCE_ID, "messages": CHAT, "tools": TOOLS}
_OPENHANDS = {"trajectory_id": TRAJECTORY_ID, "repo": REPO, "model_patch": PATCH}
NATIVE_COLUMNS = {
    "chat": _CHAT,
    "openhands-nvidia": {
        **_CHAT,
        **_OPENHANDS,
        "license": optional_text("The repository's licence."),
        "dataset": optional_text("Where the task is from."),
    },
    "openhands-nebius": {
        **_CHAT,
        **_OPENHANDS,
        "exit_status": optional_text("How the rollout ended, in upstream's words."),
        "resolved": RESOLVED,
    },
    "open-swe-traces": {
        **_CHAT,
        "trajectory_id": TRAJECTORY_ID,
        "repo": REPO,
        "license": optional_text("The repository's licence."),
        "language": optional_text("The repository's language."),
        "resolved": RESOLVED,
        "metadata": optional_text("JSON text of what upstream knows of the rollout."),
        "hf_dataset_name": optional_text("Where the task is from."),
    },
}
