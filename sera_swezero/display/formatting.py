"""Numbers as a person reads them."""

from __future__ import annotations

NONE = "-"
"""What is printed for a figure that is not known."""


def number(value: float | None) -> str:
    """A number with separated thousands, such as 1,234 or 12.3; a dash if it is not known."""
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def counted(count: int, noun: str) -> str:
    """A number of things: 1 file, 2 files."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share(count: int | None, of: int) -> str:
    """A count and its share of a whole: 486 (48.6%)."""
    if count is None:
        return NONE
    return f"{count:,} ({count / of:.1%})" if of else f"{count:,}"


def byte_size(count: float) -> str:
    """A number of bytes in powers of 1000: 512 bytes, 6.8 MB, 7.1 GB."""
    return _scaled(count, ("bytes", "kB", "MB", "GB", "TB"))


def short_number(count: float) -> str:
    """A large number in short, in powers of 1000: 512, 6.8 M."""
    return _scaled(count, ("", "k", "M", "G", "T")).rstrip()


def _scaled(count: float, units: tuple[str, ...]) -> str:
    *smaller, largest = units
    for unit in smaller:
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == units[0] or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} {largest}"


def escaped(text: str) -> str:
    """Return the text with everything that a terminal would act on escaped."""
    return "".join(char if char.isprintable() or char == "\t" else ascii(char)[1:-1] for char in text)


def how_ended(code: int) -> str:
    """The exit code of a process in words; below 0 it is a signal."""
    return f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
