"""Opens a page of a server in the browser as soon as the server answers: `python -m medcls.cli.open_page URL`."""

import sys
import time
import urllib.request
import webbrowser

LIMIT = 120.0  # seconds that a server may take to start


def main(url: str) -> None:
    """Wait until the server of a page answers, and open the page; give up without a word if it never does."""
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url.partition("#")[0], timeout=5):
                webbrowser.open(url)
            return
        except OSError:
            time.sleep(0.3)


if __name__ == "__main__":
    main(sys.argv[1])
