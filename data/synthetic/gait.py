"""How simulated people move: the acceleration that a phone in the front pocket would measure.

A walk repeats with the stride, which is two steps. With ψ the stride's phase, the body accelerates, in g, by

    vertical = bounce (cos 2ψ + ½ cos(4ψ + φ₁) + u₁ cos(ψ + φ₂)) + heel(ψ) + u₂ heel(ψ + π)
    forward  = push cos(2ψ + φ₃)
    lateral  = sway cos(ψ + φ₄)

where heel(ψ) = impact (exp(κ (cos ψ - 1)) - its mean) is a heel that strikes, the harder the greater κ, and u is how
uneven one walks. Gravity adds 1 g upwards, the thigh leans forward by flexion + swing cos(ψ + φ₅), and the phone lies
in its pocket as it happens to. The numbers make the task learnable and not trivial; they describe nobody.

Legend: P people, A activities, F features of a style, N windows, T time steps.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RATE = 50.0  # samples a second
CHUNK = 2000  # windows simulated at once: it bounds the memory that is not the result
CADENCE, BOUNCE, IMPACT, KAPPA, PUSH, SWAY, SWING, FLEXION = range(8)
STYLES = np.array(  # in the order of ACTIVITIES
    [  # steps/s, g, g, -, g, g, rad, rad
        [1.75, 0.28, 0.70, 11.0, 0.14, 0.12, 0.28, 0.20],  # downstairs: slower than a walk, hard on the heels
        [2.75, 0.75, 1.30, 7.0, 0.30, 0.25, 0.45, 0.20],  # jogging
        [0.30, 0.00, 0.00, 1.0, 0.01, 0.01, 0.01, 1.30],  # sitting: the thigh level; breath
        [0.40, 0.00, 0.00, 1.0, 0.01, 0.02, 0.01, 0.05],  # standing: the body sways
        [1.65, 0.22, 0.25, 5.0, 0.18, 0.11, 0.34, 0.32],  # upstairs: slower, soft, knees high
        [1.90, 0.26, 0.40, 7.0, 0.16, 0.12, 0.34, 0.08],  # walking
    ]
)
# How people differ in all that they do, in each activity, and from window to window: std of the features' logarithms.
PERSON, HABIT, MOMENT = 0.12, 0.12, 0.08
PACE = 0.3  # the part of these that cadence has: pace differs less than force
LEAN, TILT = 0.15, 0.25  # rad, std of people's flexion and of their pockets
SHIFT = 0.3  # the part of these that changes from window to window
UNEVEN = 0.3  # u₁ lies within ±0.3, u₂ is 1 ± 0.3
WANDER, WANDER_RATE = 0.2, 0.25  # rad and cycles a second: nobody's phase advances evenly


class Crowd(NamedTuple):
    """What is one's own: style (P, A, F), phases φ (P, 5), uneven u (P, 2), the phone's turn (P, 3) about each axis."""

    style: Floats
    phases: Floats
    uneven: Floats
    turn: Floats


def draw_crowd(count: int, rng: np.random.Generator) -> Crowd:
    """So many people. Every second phone, by chance, shows its back: turned by π about the vertical."""
    activities, features = STYLES.shape
    own, habit = rng.normal(0, PERSON, (count, 1, features)), rng.normal(0, HABIT, (count, activities, features))
    style = _vary(STYLES, own + habit)
    style[..., FLEXION] += rng.normal(0, LEAN, (count, activities))
    turn = rng.normal(0, TILT, (count, 3))
    turn[:, 1] += np.pi * rng.integers(2, size=count)
    uneven = rng.uniform(-UNEVEN, UNEVEN, (count, 2))
    uneven[:, 1] += 1
    return Crowd(style, rng.uniform(0, 2 * np.pi, (count, 5)), uneven, turn)


def _vary(style: Floats, log: Floats) -> Floats:
    """Styles (…, F) times exp(log), but cadence less so, and flexion, which may be 0, not at all."""
    log[..., CADENCE] *= PACE
    log[..., FLEXION] = 0
    varied: Floats = style * np.exp(log)
    return varied


def simulate(
    people: Crowd,
    whose: Indices,
    doing: Indices,
    steps: int,
    noise: float,
    rng: np.random.Generator,
    dtype: np.dtype[Any],
) -> NDArray[Any]:
    """Windows (N, T, 3) in g, 50 a second, of the people `whose` (N,) `doing` (N,) activities; noise: std in g."""
    windows = np.empty((len(whose), steps, 3), dtype)
    for start in range(0, len(whose), CHUNK):
        part = slice(start, start + CHUNK)
        measured = _measure(people, whose[part], doing[part], steps, rng)
        windows[part] = measured + rng.normal(0, noise, measured.shape)
    return windows


def _measure(people: Crowd, whose: Indices, doing: Indices, steps: int, rng: np.random.Generator) -> Floats:
    """What phones without noise measure, (N, T, 3)."""
    n = len(whose)
    style = _vary(people.style[whose, doing], rng.normal(0, MOMENT, (n, STYLES.shape[1])))
    style[:, FLEXION] += rng.normal(0, SHIFT * LEAN, n)
    turn = people.turn[whose] + rng.normal(0, SHIFT * TILT, (n, 3))
    start, wander = rng.uniform(0, 2 * np.pi, (2, n, 1))
    t = np.arange(steps) / RATE
    psi = np.pi * style[:, [CADENCE]] * t + start + WANDER * np.sin(2 * np.pi * WANDER_RATE * t + wander)
    measured: Floats = _thigh(style, people.phases[whose], people.uneven[whose], psi) @ _rotation(turn)
    return measured


def _thigh(style: Floats, phases: Floats, uneven: Floats, psi: Floats) -> Floats:
    """Acceleration (N, T, 3) along the thigh's own axes - lateral, upwards, forward - at phases psi (N, T)."""
    _, bounce, impact, kappa, push, sway, swing, flexion = style.T[..., None]  # each (N, 1), as are phi and u below
    phi1, phi2, phi3, phi4, phi5 = phases.T[..., None]
    u1, u2 = uneven.T[..., None]

    def heel(angle: Floats) -> Floats:
        strike: Floats = impact * np.exp(-kappa) * (np.exp(kappa * np.cos(angle)) - np.i0(kappa))
        return strike

    vertical = 1 + bounce * (np.cos(2 * psi) + 0.5 * np.cos(4 * psi + phi1) + u1 * np.cos(psi + phi2))
    vertical += heel(psi) + u2 * heel(psi + np.pi)
    forward = push * np.cos(2 * psi + phi3)
    lean = flexion + swing * np.cos(psi + phi5)
    upwards = vertical * np.cos(lean) - forward * np.sin(lean)
    ahead = vertical * np.sin(lean) + forward * np.cos(lean)
    return np.stack([sway * np.cos(psi + phi4), upwards, ahead], axis=-1)


def _rotation(turn: Floats) -> Floats:
    """Rotations (N, 3, 3): about x by turn[:, 0], then about y, then about z."""
    matrix = np.eye(3)
    for axis in range(3):
        about = np.zeros((len(turn), 3, 3))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        about[:, axis, axis] = 1
        about[:, i, i] = about[:, j, j] = np.cos(turn[:, axis])
        about[:, i, j] = np.sin(turn[:, axis])
        about[:, j, i] = -about[:, i, j]
        matrix = matrix @ about
    return matrix
