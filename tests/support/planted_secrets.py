"""Secrets of every kind that is looked for, made up on the spot: they open nothing."""

from __future__ import annotations

import random
import string

WORD = string.ascii_letters + string.digits


def made_up(seed: int = 0) -> dict[str, str]:
    """Kind -> a text that has one secret of the kind."""
    dice = random.Random(seed)

    def of(count: int, characters: str = WORD) -> str:
        return "".join(dice.choice(characters) for _ in range(count))

    body = "\n".join(of(64) for _ in range(12))
    return {
        "AWS Access Key": f"AKIA{of(16, string.ascii_uppercase + string.digits)}",
        "Anthropic API Key": f"sk-ant-api03-{of(93)}",
        "GitHub Token": f"ghp_{of(36)}",
        "Hugging Face Token": f"hf_{of(34)}",
        "NPM tokens": "//registry." + f"npmjs.org/:_authToken=npm_{of(36)}",
        "OpenAI Token": f"sk-proj-{of(20)}T3BlbkFJ{of(20)}",
        "Private Key": f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----",
        "PyPI Token": f"pypi-AgEIcHlwaS5vcmc{of(80)}",
        "Slack Token": f"xoxb-{of(12, string.digits)}-{of(24, string.ascii_lowercase)}",
        "Stripe Access Key": f"sk_live_{of(24)}",
    }


def aws_secret_key(seed: int = 0) -> str:
    """A line that sets the secret half of an AWS key, which only the words around it tell."""
    key = "".join(random.Random(seed).choice(WORD + "+/") for _ in range(40))
    return f'aws_secret_access_key = "{key}"'
