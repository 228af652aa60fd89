"""The house style that every picture shares: colours, type sizes, resolution. Data only, so that it costs no import."""

DPI = 150

INK = "#1f2933"  # titles and labels
FAINT = "#6b7280"  # what explains: subtitle, footer, ticks
GRID = "#e5e7eb"
PAPER = "#ffffff"

# Okabe and Ito's palette for colour-blind readers, without its yellow, which white paper swallows.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4b5563")

# One dash pattern per split, so that train and validation stay apart in print and in one colour.
DASHES = {"train": "-", "val": (0, (4, 1.6)), "test": (0, (1.2, 1.4))}

# Type sizes in points (1/72 inch).
TITLE = 12.0
LABEL = 9.0
SMALL = 7.5

LINE_SPACING = 1.35  # of the type size
MARGIN = 36  # pixels between paper's edge and content
MIN_WIDTH = 720  # pixels: a page about one tiny image still has room for its title


def pixels(points: float) -> float:
    """A length in points as pixels of our resolution."""
    return points * DPI / 72
