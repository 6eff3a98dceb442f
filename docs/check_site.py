"""Look at a site that was built: ``python docs/check_site.py [docs/_build/html]``.

Every link within the site leads to a page and an anchor that are there, no page loads anything from
another host, and every picture has a text for those who do not see it, if an empty one. Links to
other hosts are looked at for their form only: nothing is fetched.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"audio", "embed", "iframe", "img", "script", "source", "video"}
RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect"}


class Page(HTMLParser):
    """What a page is made of: its anchors, what it links to and what it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded, self.untold = set(), [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """Take note of a tag."""
        given = dict(attributes)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in LOADED and given.get("src"):
            self.loaded.append(given["src"])
        elif tag == "link" and RELATIONS & set(given.get("rel", "").split()):
            self.loaded.append(given["href"])
        if tag == "img" and "alt" not in given:
            self.untold.append(given.get("src"))


def faults(site):
    """What is wrong with the pages below a folder, in words."""
    files = (path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts)
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files}
    for path, page in pages.items():
        here = path.relative_to(site)
        yield from (f"{here}: {source} has no alternative text" for source in page.untold)
        for target in [*page.links, *page.loaded]:
            parts = urlsplit(target)
            if parts.netloc or parts.scheme:
                if target in page.loaded and parts.scheme != "data":
                    yield f"{here} loads {target}: write formulas as code, and bring files along"
                elif parts.scheme not in ("https", "data", "mailto") or " " in target:
                    yield f"{here} links to {target!r}, which is no https address"
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not file.is_file():
                yield f"{here}: {target} is not there"
            elif file in pages and unquote(parts.fragment) not in {"", *pages[file].anchors}:
                yield f"{here}: {target} is no anchor there"


def main(folder="docs/_build/html"):
    """Print what is wrong; exit with 1 if anything is."""
    site = Path(folder).resolve()
    if not (site / "index.html").is_file():
        sys.exit(f"{site} holds no site. Build it: python -m sphinx -W --keep-going docs {folder}")
    found = list(faults(site))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(f"{len(found)} fault(s)" if found else None)


if __name__ == "__main__":
    main(*sys.argv[1:])
