"""How many planted mistakes the gradient debugger notices, places and explains; how long it takes."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from gradient_bugs import BUGS, FILES, FOLDER, expected, planted

from duograd.runner.gradcheck.discovery import layers_of, load_module
from duograd.runner.gradcheck.findings import check_layer

DRAWS = 50  # of inputs for each right layer


def main() -> None:
    """Prints the counts."""
    noticed = placed = explained = 0
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for number, bug in enumerate(BUGS):
            text, line = planted(bug)
            path = Path(folder) / f"bug{number}.py"
            path.write_text(text)
            module, source = load_module(path)
            [layer] = layers_of(module, source, bug[0])
            began = time.perf_counter()
            check = check_layer(layer)
            seconds.append(time.perf_counter() - began)
            finding = next(iter(check.findings), None)
            named = finding is not None and finding.line in expected(bug, line)
            noticed += not check.ok
            placed += named
            explained += named and any(word in finding.verdict for word in bug[3])
    count = len(BUGS)
    print(f"{count} mistakes: noticed {noticed} (all), line named {placed / count:.0%} (>= 92 %), ", end="")
    print(f"cause said {explained / count:.0%} (>= 75 %)")
    print(f"a layer with a mistake: median {sorted(seconds)[count // 2]:.2f} s, longest {max(seconds):.1f} s (< 2 s)")
    blamed = total = 0
    for name in FILES:
        module, source = load_module(FOLDER / f"{name}.py")
        for seed in range(DRAWS):
            for layer in layers_of(module, source):
                total += 1
                blamed += not check_layer(layer, seed=seed).ok
    print(f"right layers on {DRAWS} draws of inputs each: {total} checks, {blamed} blamed (none)")


if __name__ == "__main__":
    main()
