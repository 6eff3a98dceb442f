"""Draw the picture of the README from the gallery: ``python docs/images/draw.py``."""

import runpy
from pathlib import Path

import matplotlib

matplotlib.use("Agg", force=True)
import matplotlib.pyplot as plt

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "gallery" / "plot_transformers.py"

if __name__ == "__main__":
    plt.show = lambda: None  # there is nobody to look
    runpy.run_path(str(EXAMPLE))
    plt.savefig(HERE / "transformers.png", dpi=110, metadata={"Software": None})
