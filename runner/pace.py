"""How fast something advances, and how that is said: `12 s/epoch`, `3:05 left`."""

from collections import deque

KEPT = 128  # marks: the pace is that of the last ones, so that it follows a machine that others share
APART_S = 0.25  # between two marks

MINUTE, HOUR, DAY = 60, 3600, 86400


class Pace:
    """How many units were done by when, in seconds of any clock. What came before the first marks is warming up."""

    def __init__(self, now: float, done: float = 0) -> None:
        self._marks = deque([(now, done)], maxlen=KEPT)
        self._warm = False

    def mark(self, now: float, done: float) -> None:
        """Notes that so much is done now."""
        last, before = self._marks[-1]
        if done <= before or (len(self._marks) > 1 and now - last < APART_S):
            return
        if len(self._marks) == 2 and not self._warm:
            self._marks.popleft()
            self._warm = True
        self._marks.append((now, done))

    @property
    def rate(self) -> float | None:
        """Units a second; None before there is anything to tell it by."""
        (began, first), (ended, last) = self._marks[0], self._marks[-1]
        return (last - first) / (ended - began) if ended > began else None


def rate_text(rate: float | None, unit: str = "epoch") -> str:
    """`120 epochs/s`, `1.5 epochs/s`, `12 s/epoch`, `3 min/epoch`; nothing where it is not known."""
    if not rate:
        return ""
    if rate >= 1:
        return f"{_short(rate)} {unit}s/s"
    seconds = 1 / rate
    for size, name in ((HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * size:
            return f"{_short(seconds / size)} {name}/{unit}"
    return f"{_short(seconds)} s/{unit}"


def clock_text(seconds: float) -> str:
    """`0:12`, `3:05`, `1:02:05`, `2 d 3 h`."""
    whole = round(seconds)
    if whole >= 2 * DAY:
        return f"{whole // DAY} d {whole % DAY // HOUR} h"
    hours, rest = divmod(whole, HOUR)
    minutes, s = divmod(rest, MINUTE)
    return f"{hours}:{minutes:02d}:{s:02d}" if hours else f"{minutes}:{s:02d}"


def _short(value: float) -> str:
    """Two digits where they say something."""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
