"""python -m benchmarks [NAME …]: all benchmarks, or those named, each in a process of its own."""

import subprocess
import sys

BENCHMARKS = ("startup", "autoencoder", "tracking", "recurrent")

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
